/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The kernel structures and fields we look at, and nothing more. Offsets are relocated at load (CO-RE), so the order
 * and the types here only have to be right field by field; the build depends on no running kernel. */
#pragma once

#include <linux/types.h>

typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;          /* network order */
	__u16 skc_num;             /* local port, host order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct super_block {
	__u32 s_dev;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct file {
	unsigned int f_flags;
	struct inode *f_inode;
	void *private_data;        /* of a socket's file: struct socket */
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct sk_buff_head {
	__u32 qlen;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	struct socket *sk_socket;
	int sk_err;
	__u16 sk_protocol;
	__u16 sk_type;
	__u8 sk_shutdown;
	void *sk_user_data;        /* of a TCP socket: a sockmap's */
};

struct tcp_sock {
	__u32 copied_seq;          /* next byte the application will read */
	__u32 write_seq;           /* next byte the application will write */
	__u32 rcv_nxt;             /* next byte expected from the network */
};

struct inet_connection_sock {
	const void *icsk_ulp_ops;  /* set: the stream's bytes are not the socket's (kernel TLS) */
};

struct unix_sock {
	struct sock *peer;
};

struct iov_iter {
	__u8 iter_type;
	unsigned long iov_offset;
	unsigned long count;
};

struct msghdr {
	struct iov_iter msg_iter;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct nsproxy {
	struct net *net_ns;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;             /* threads that have not begun to exit */
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
};

struct thread_info {
	unsigned long flags;
	__u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	void *stack;
	struct files_struct *files;
	int pid;
	int tgid;
	int exit_code;
	__u64 start_boottime;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	char comm[16];
};

struct linux_binprm {
	struct file *file;
	const char *filename;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
};
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	__s32 syscallno;
};
#else
#error "unknown architecture"
#endif

struct bpf_iter_meta {
	__u64 seq_num;
};

struct bpf_map;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

#pragma clang attribute pop

#define VOR_AF_UNIX 1
#define VOR_AF_INET 2
#define VOR_AF_INET6 10
#define VOR_SOCK_STREAM 1
#define VOR_IPPROTO_TCP 6
#define VOR_IPPROTO_MPTCP 262
#define VOR_MSG_OOB 0x1
#define VOR_MSG_PEEK 0x2
#define VOR_MSG_TRUNC 0x20
#define VOR_MSG_ERRQUEUE 0x2000
/* What is received so is no part of the stream, or stays there. */
#define VOR_MSG_BESIDE (VOR_MSG_OOB | VOR_MSG_PEEK | VOR_MSG_ERRQUEUE)
#define VOR_O_NONBLOCK 04000
#define VOR_EPIPE 32
#define VOR_ECONNABORTED 103
#define VOR_ECONNRESET 104
#define VOR_ETIMEDOUT 110
#define VOR_SHUTDOWN_RECEIVE 1
#define VOR_SHUTDOWN_SEND 2
#define VOR_SHUTDOWN_BOTH 3
#define VOR_S_IFMT 00170000
#define VOR_S_IFSOCK 0140000
#define VOR_TCP_ESTABLISHED 1
#define VOR_TCP_SYN_SENT 2
#define VOR_TCP_SYN_RECV 3
#define VOR_TCP_CLOSE 7
/* States of a connection whose peer has ended its stream: TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, CLOSING. */
#define VOR_TCP_PEER_ENDED (1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 11)
#define VOR_TCP_LISTEN 10
/* task_struct.flags: kernel threads and io_uring workers have no system call registers of their own. */
#define VOR_PF_NO_SYSCALL (0x00200000 | 0x00000010 | 0x00004000)
/* The task is in a system call of the 32-bit table, whose numbers mean others. */
#if defined(__TARGET_ARCH_x86)
#define COMPAT_TASK(task) (KNOWN(task, thread_info.status) & 0x2)
#else
#define COMPAT_TASK(task) (KNOWN(task, thread_info.flags) & 1ul << 22)
#endif
/* Four pages of 4 KiB on both architectures (no KASAN). */
#define VOR_THREAD_SIZE 16384
/* A probe's own registers: offsets are fixed, no relocation. */
#if defined(__TARGET_ARCH_x86)
#define KPROBE_1(regs) ((regs)->di)
#define KPROBE_RETURN(regs) ((regs)->ax)
#else
#define KPROBE_1(regs) ((regs)->regs[0])
#define KPROBE_RETURN(regs) ((regs)->regs[0])
#endif
