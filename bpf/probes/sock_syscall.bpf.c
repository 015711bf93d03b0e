/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface D: the end of system calls, for kernels that let nothing be hooked below. One program on sys_exit: when a call
 * is over, its arguments are still in the task's registers, so that nothing has to be kept between entry and exit. The
 * socket is looked up behind the descriptor each time: four reads, fewer than a table by (process, descriptor) would
 * cost, which every close, dup2, close_range and exec would have to keep true. io_uring is not seen here.
 *
 * Since 7.0 it can be preempted, as surface A's (after.h). */
#define VOR_FOUND_SOCKETS
#include "../include/anchor.h"
#include "../include/handler.h"
#include "after.h"
#include "operation.h"
#include "connection.h"
#include "entry.h"
#include "nginx.h"
#include "sweep.h"
#include "process.h"

struct call {
	struct pt_regs *regs;
	__u64 nr;
	__s32 fd;
	__s32 flags;
	__u32 dir;
	bool multi;
};

/* false: a call that moves no bytes of a socket. */
INLINE bool call_read(struct call *call, struct pt_regs *regs)
{
	call->regs = regs;
	call->nr = REGS_NR(regs);
	call->flags = 0;
	call->multi = false;
	call->dir = DIR_RECV;
	switch (call->nr) {
	case NR_READ:
	case NR_READV:
	case NR_PREADV2:
	case NR_SPLICE:
		break;
	case NR_RECVFROM:
		call->flags = (__s32)REGS_4(regs);
		break;
	case NR_RECVMSG:
		call->flags = (__s32)REGS_3(regs);
		break;
	case NR_RECVMMSG:
		call->flags = (__s32)REGS_4(regs);
		call->multi = true;
		break;
	case NR_SENDMMSG:
		call->multi = true;
		call->dir = DIR_SEND;
		break;
	case NR_WRITE:
	case NR_WRITEV:
	case NR_PWRITEV2:
	case NR_SENDTO:
	case NR_SENDMSG:
	case NR_SENDFILE:
		call->dir = DIR_SEND;
		break;
	default:
		return false;
	}
	call->fd = (__s32)REGS_FIRST(regs);
	return true;
}

struct found {
	struct sock *sk;
	__u64 inode;
};

/* The socket behind a descriptor of the current task. */
INLINE bool socket_behind(struct found *found, struct task_struct *task, __s32 fd)
{
	struct fdtable *table = KNOWN(task, files, fdt);
	struct file *file = NULL;
	if ((__u32)fd >= KNOWN(table, max_fds))
		return false;
	bpf_probe_read_kernel(&file, sizeof(file), (void *)((__u64)KNOWN(table, fd) + (__u32)fd * sizeof(file)));
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & VOR_S_IFMT) != VOR_S_IFSOCK)
		return false;
	found->inode = BPF_CORE_READ(inode, i_ino);
	struct socket *socket = BPF_CORE_READ(file, private_data);
	found->sk = BPF_CORE_READ(socket, sk);
	return found->sk;
}

/* Most messages looked at in one call: the kernel's own limit. */
#ifdef VOR_OLD
#define MESSAGES_MAX 64
#else
#define MESSAGES_MAX 1024
#endif

struct messages {
	__u64 vector;      /* user address of the mmsghdrs */
	__u32 bytes;
};

INLINE __u32 message_length(__u64 vector, __u32 i)
{
	__u32 length = 0;
	bpf_probe_read_user(&length, sizeof(length), (void *)(vector + (__u64)i * MMSGHDR_SIZE + MMSGHDR_LENGTH));
	return length;
}

static long message_add(__u32 i, struct messages *m)
{
	m->bytes += message_length(m->vector, i);
	return 0;
}

#ifdef VOR_OLD
INLINE int messages_io(struct sock *sk, struct conn *c, struct scratch *s, __u64 vector, __u32 count)
{
	struct messages m = {.vector = vector};
	for (__u32 i = 0; i < MESSAGES_MAX && i < count; i++)
		message_add(i, &m);
	s->io.after = m.bytes;
	s->io.ret = 0;
	on_io(sk, c, s);
	s->messages = count > MESSAGES_MAX ? MESSAGES_MAX : count;
	s->message = 0;
	s->vector = vector;
	return 1;
}
#else
/* Message `i` of a recvmmsg or sendmmsg that is over. */
ALONE int message_of_many(struct conn *c, struct scratch *s, __u64 vector, __u32 i)
{
	if (!c || !s)
		return 0;
	__u32 length = message_length(vector, i);
	if (!length)
		return 0;
	s->io.ret = length;
	s->io.after -= length;
	s->io.call = i;
	io_from_syscall(&s->io);
	return on_io((struct sock *)s->io.sock, c, s);
}

INLINE int messages_io(struct sock *sk, struct conn *c, struct scratch *s, __u64 vector, __u32 count)
{
	struct messages m = {.vector = vector};
	if (count > MESSAGES_MAX)
		count = MESSAGES_MAX;
	REPEAT(count, message_add, &m);
	s->io.after = m.bytes;
	for (__u32 i = 0; i < MESSAGES_MAX; i++) {
		if (i >= count)
			break;
		message_of_many(c, s, vector, i);
	}
	s->io.after = 0;
	return 0;
}
#endif

STEPS(recv, "tp_btf/sys_exit", SCRATCH_RECV)
STEPS(send, "tp_btf/sys_exit", SCRATCH_SEND)

/* false: no operation of a socket that concerns us. */
INLINE bool call_find(struct call *call, struct found *found, struct pt_regs *regs, long ret)
{
	if (!call_read(call, regs))
		return false;
	struct task_struct *task = CURRENT();
	if (call->flags & VOR_MSG_BESIDE || (ret < 0 && !ends_connection(ret)) || COMPAT_TASK(task))
		return false;
	if (socket_behind(found, task, call->fd))
		return true;
	if (call->nr != NR_SPLICE)
		return false;
	call->dir = DIR_SEND;
	call->fd = (__s32)REGS_3(regs);
	return socket_behind(found, task, call->fd);
}

/* Returns 1 + the direction whose steps are to run (old kernels), else 0. */
INLINE int call_over(struct pt_regs *regs, long ret)
{
	struct call call;
	struct found found;
	if (!call_find(&call, &found, regs, ret))
		return 0;
	/* One hook for both directions: what the other hooks wait for. */
	if (vor_hooks_seen != HOOKS_ALL)
		vor_hooks_seen = HOOKS_ALL;
	struct sock *sk = found.sk;
	struct conn *c = conn_get(sk, true);
	if (!c || c->inode != found.inode) {
		int kind = socket_kind(sk);
		if (kind < 0)
			return 0;
		c = conn_of_inode(sk, c, kind, found.inode);
		if (!c)
			return 0;
	}
	__u32 dir = call.dir & 1;
	if (ret <= 0) {
		nothing_moved(sk, c, dir, ret);
		return 0;
	}
	operation_marked(sk, c, dir);
	struct scratch *s = operation_begin(sk, c, dir, dir, ret);
	if (!s)
		return 0;
	if (call.multi)
		return messages_io(sk, c, s, REGS_2(regs), ret) ? 1 + dir : 0;
	s->io.after = 0;
	io_from_syscall(&s->io);
	s->io.fd = call.fd;
	if (call.flags & VOR_MSG_TRUNC)
		s->io.segments = 0;
	return on_io(sk, c, s) ? 1 + dir : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(vor_sys_exit, struct pt_regs *regs, long ret)
{
	__u32 steps = UNDISTURBED(call_over(regs, ret));
#ifdef VOR_OLD
	if (steps == 1 + DIR_RECV)
		bpf_tail_call(ctx, &vor_steps_recv, 0);
	else if (steps)
		bpf_tail_call(ctx, &vor_steps_send, 0);
#endif
	return steps & 0;
}

#ifndef VOR_OLD
AGAIN(exit)

INLINE bool to_take_over(struct pt_regs *regs, long ret)
{
	struct call call;
	struct found found;
	if (!vor_preemptible || vor_hooks_seen != HOOKS_ALL || !call_find(&call, &found, regs, ret) || socket_kind(found.sk) < 0)
		return false;
	struct conn *c = conn_get(found.sk, true);
	return !c || c->inode != found.inode || !operation_seen(found.sk, c, ret, call.dir);
}

INLINE int checked(struct pt_regs *regs, long ret)
{
	struct call call;
	struct found found;
	if (ret <= 0 || vor_hooks_seen != HOOKS_ALL || !call_find(&call, &found, regs, ret))
		return 0;
	struct conn *c = conn_get(found.sk, true);
	if (c && c->inode == found.inode)
		operation_checked(found.sk, c, call.dir);
	return 0;
}

#define AFTER(n)                                                                \
	SEC("tp_btf/sys_exit")                                                  \
	int BPF_PROG(vor_after_exit_##n, struct pt_regs *regs, long ret)        \
	{                                                                       \
		if (to_take_over(regs, ret))                                    \
			bpf_tail_call(ctx, &vor_again_exit, 0);                 \
		return 0;                                                       \
	}

/* Every call of every task comes here: more of them than elsewhere. */
AFTER(1)
AFTER(2)
AFTER(3)
AFTER(4)

SEC("tp_btf/sys_exit")
int BPF_PROG(vor_after_exit_5, struct pt_regs *regs, long ret)
{
	return vor_preemptible ? UNDISTURBED(checked(regs, ret)) : 0;
}
#endif

char _license[] SEC("license") = "Dual MIT/GPL";
