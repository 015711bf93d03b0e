/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface A: the tracepoints around a socket's recvmsg and sendmsg (kernel 6.3). Trusted socket pointers, no cost for
 * anything that is no socket I/O, every system call and io_uring in one place. */
#define VOR_TELLS_MISSED
#include "../include/anchor.h"
#include "../include/handler.h"
#include "message.h"
#include "connection.h"
#include "entry.h"
#include "nginx.h"
#include "sweep.h"
#include "process.h"

SEC("tp_btf/sock_recv_length")
int BPF_PROG(vor_sock_recv, struct sock *sk, int ret, int flags)
{
	return UNDISTURBED(socket_io(sk, ret, flags, DIR_RECV, SCRATCH_RECV));
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(vor_sock_send, struct sock *sk, int ret, int flags)
{
	return UNDISTURBED(socket_io(sk, ret, flags, DIR_SEND, SCRATCH_SEND));
}

/* Behind them on the same hooks, only where programs can be preempted: take over what the first was skipped for. */

/* The two programs above, by direction, put in by user space: a program called so may be called again meanwhile. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} vor_again_recv SEC(".maps"), vor_again_send SEC(".maps");

/* Whether somebody has seen this operation already. */
INLINE bool handled(struct sock *sk, int ret, __u32 dir)
{
	int kind = socket_kind(sk);
	if (kind < 0)
		return true;
	if (ret < 0 && !ends_connection(ret))
		return true;
	struct conn *c = conn_get(sk, kind);
	if (!c || ret <= 0)
		return false; /* an end that is handled twice is the same end */
	if (c->state >= CONN_IGNORED)
		return true;
	if (!counts_bytes(sk, c))
		return c->handled[dir] == (__u32)bpf_get_current_pid_tgid();
	return c->next_seq[dir] == stream_end(sk, dir);
}

INLINE bool to_take_over(struct sock *sk, int ret, int flags, __u32 dir)
{
	return vor_preemptible && vor_hooks_seen == HOOKS_ALL && !(flags & VOR_MSG_BESIDE) && !handled(sk, ret, dir);
}

/* The last one: where no sequence number tells, what all of them were skipped for is told here. */
INLINE int missed(struct sock *sk, int ret, int flags, __u32 dir)
{
	if (vor_hooks_seen != HOOKS_ALL || ret <= 0 || flags & VOR_MSG_BESIDE)
		return 0;
	int kind = socket_kind(sk);
	if (kind < 0 || (FIELD(sk, sk_protocol) == VOR_IPPROTO_TCP && counts_stream(sk)))
		return 0;
	struct conn *c = conn_get(sk, kind);
	if (!c)
		return 0;
	if (c->handled[dir] != (__u32)bpf_get_current_pid_tgid())
		operation_missed(sk, c, dir);
	c->handled[dir] = 0;
	return 0;
}

#define AFTER(name, tracepoint, dir, again)                                                     \
	SEC("tp_btf/" tracepoint)                                                               \
	int BPF_PROG(vor_after_##name, struct sock *sk, int ret, int flags)                     \
	{                                                                                       \
		if (to_take_over(sk, ret, flags, dir))                                          \
			bpf_tail_call(ctx, &again, 0);                                          \
		return 0;                                                                       \
	}

#define LAST(name, tracepoint, dir)                                                             \
	SEC("tp_btf/" tracepoint)                                                               \
	int BPF_PROG(vor_after_##name, struct sock *sk, int ret, int flags)                     \
	{                                                                                       \
		return vor_preemptible ? UNDISTURBED(missed(sk, ret, flags, dir)) : 0;          \
	}

/* With n of them n + 1 tasks have to be preempted in the same place of one CPU before an operation passes unseen. */
AFTER(recv_1, "sock_recv_length", DIR_RECV, vor_again_recv)
AFTER(recv_2, "sock_recv_length", DIR_RECV, vor_again_recv)
LAST(recv_3, "sock_recv_length", DIR_RECV)
AFTER(send_1, "sock_send_length", DIR_SEND, vor_again_send)
AFTER(send_2, "sock_send_length", DIR_SEND, vor_again_send)
LAST(send_3, "sock_send_length", DIR_SEND)

/* What the first was skipped for. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(vor_after_ready_1, struct sock *sk)
{
	return UNDISTURBED(readable(sk));
}

char _license[] SEC("license") = "Dual MIT/GPL";
