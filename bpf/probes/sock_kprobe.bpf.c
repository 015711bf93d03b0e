/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface C: entry and return of the functions below a socket's recvmsg and sendmsg, by kprobe and kretprobe. For kernels
 * without BPF trampolines.
 *
 * The kernel keeps a fixed number of kretprobe instances (ten, or two a CPU): when more threads sleep in the same function,
 * the return of one more is not hooked. The next entry on that thread finds what the last one left and says so: what its
 * connection had open is dropped and counted (VOR_COUNT_DROPPED_STATE_LOST). */
#define VOR_FOUND_SOCKETS
#define VOR_OWN_ENTRY
#define VOR_ARMED
#include "../include/anchor.h"
#include "../include/handler.h"
#include "message.h"
#include "connection.h"
#include "entry.h"
#include "nginx.h"
#include "sweep.h"
#include "process.h"

/* vor_calls: thread -> the socket of the call it is in. Written at entry, deleted at return or when found stale. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, __u64);
} vor_calls SEC(".maps");

INLINE void call_lost(struct sock *sk)
{
	int kind = socket_kind(sk);
	struct conn *c = kind < 0 ? NULL : conn_get(sk, kind);
	if (!c || c->state != CONN_HTTP1)
		return;
	struct http1 *h = http1_get(sk, kind);
	if (h)
		http1_forget(sk, c, h, 0, VOR_COUNT_DROPPED_STATE_LOST, CONN_NEW);
}

INLINE void entered(struct sock *sk)
{
	__u32 thread = (__u32)bpf_get_current_pid_tgid();
	__u64 address = (__u64)sk;
	__u64 *stale = bpf_map_lookup_elem(&vor_calls, &thread);
	if (stale)
		call_lost((struct sock *)*stale);
	bpf_map_update_elem(&vor_calls, &thread, &address, BPF_ANY);
}

/* What recv was asked for; the functions' own argument has another place in every second kernel. */
INLINE int asked_flags(void)
{
	struct pt_regs *regs = task_regs();
	if (!regs)
		return 0;
	switch (REGS_NR(regs)) {
	case NR_RECVFROM:
	case NR_RECVMMSG:
		return (int)REGS_4(regs);
	case NR_RECVMSG:
		return (int)REGS_3(regs);
	}
	return 0;
}

INLINE int left(int ret, __u32 dir)
{
	__u32 thread = (__u32)bpf_get_current_pid_tgid();
	__u64 *address = bpf_map_lookup_elem(&vor_calls, &thread);
	if (!address)
		return 0;
	struct sock *sk = (struct sock *)*address;
	bpf_map_delete_elem(&vor_calls, &thread);
	return socket_io(sk, ret, dir == DIR_RECV ? asked_flags() : 0, dir, dir);
}

/* Five programs for all functions: user space attaches each to those that the kernel has (src/capture/surfaces.ts). */
SEC("kprobe")
int vor_enter_sock(struct pt_regs *regs)
{
	entered((void *)KPROBE_1(regs));
	return 0;
}

SEC("kprobe")
int vor_enter_socket(struct pt_regs *regs)
{
	entered(BPF_CORE_READ((struct socket *)KPROBE_1(regs), sk));
	return 0;
}

SEC("kprobe")
int vor_enter_tcp_sendmsg(struct pt_regs *regs)
{
	struct sock *sk = (void *)KPROBE_1(regs);
	entered(sk);
	return send_entry(sk, ~0ull);
}

STEPS(recv, "kretprobe", SCRATCH_RECV)
STEPS(send, "kretprobe", SCRATCH_SEND)

SEC("kretprobe")
int vor_leave_recv(struct pt_regs *regs)
{
	RUN(regs, recv, left((int)KPROBE_RETURN(regs), DIR_RECV));
}

SEC("kretprobe")
int vor_leave_send(struct pt_regs *regs)
{
	RUN(regs, send, left((int)KPROBE_RETURN(regs), DIR_SEND));
}

char _license[] SEC("license") = "Dual MIT/GPL";
