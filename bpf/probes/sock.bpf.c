/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface A: the tracepoints around a socket's recvmsg and sendmsg (kernel 6.3). Trusted socket pointers, no cost for
 * anything that is no socket I/O, every system call and io_uring in one place. */
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

AGAIN(recv)
AGAIN(send)

INLINE bool to_take_over(struct sock *sk, int ret, int flags, __u32 dir)
{
	if (!vor_preemptible || vor_hooks_seen != HOOKS_ALL || flags & VOR_MSG_BESIDE || (ret < 0 && !ends_connection(ret)))
		return false;
	int kind = socket_kind(sk);
	return kind >= 0 && !operation_seen(sk, conn_get(sk, kind), ret, dir);
}

INLINE int checked(struct sock *sk, int ret, int flags, __u32 dir)
{
	if (vor_hooks_seen != HOOKS_ALL || ret <= 0 || flags & VOR_MSG_BESIDE)
		return 0;
	int kind = socket_kind(sk);
	if (kind < 0 || (FIELD(sk, sk_protocol) == VOR_IPPROTO_TCP && counts_stream(sk)))
		return 0;
	operation_checked(sk, conn_get(sk, kind), dir);
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
		return vor_preemptible ? UNDISTURBED(checked(sk, ret, flags, dir)) : 0;          \
	}

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
