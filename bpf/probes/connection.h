/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The life of TCP connections beside their bytes: who listens, and the end of what is still open. */
#pragma once

#include "../maps/process_ring.h"
#include "socket.h"

INLINE void listen_event(const struct sock *sk)
{
	struct vor_listen_record *record = process_reserve(struct vor_listen_record, VOR_RECORD_LISTEN);
	if (!record)
		return;
	process_key(&record->process, CURRENT());
	record->time_ns = bpf_ktime_get_boot_ns();
	record->family = sk->__sk_common.skc_family;
	record->netns = sk->__sk_common.skc_net.net->ns.inum;
	__builtin_memset(&record->local, 0, sizeof(record->local));
	if (record->family == VOR_AF_INET) {
		record->local.addr[10] = record->local.addr[11] = 0xff;
		*(__u32 *)(record->local.addr + 12) = sk->__sk_common.skc_rcv_saddr;
	} else {
		BPF_CORE_READ_INTO(&record->local.addr, sk, __sk_common.skc_v6_rcv_saddr);
	}
	record->local.port = sk->__sk_common.skc_num;
	bpf_ringbuf_submit(record, process_ring_flags());
}

/* Emits what is open on a connection that has ended. */
INLINE void connection_over(struct sock *sk, __u32 flags)
{
	struct conn *c = conn_get(sk, true);
	if (!c || c->state != CONN_HTTP1)
		return;
	struct http1 *h = http1_get(sk, true);
	bool unseen = passed_unseen(sk, c, DIR_RECV) || passed_unseen(sk, c, DIR_SEND);
	if (h) {
		exchanges_finish(h, bpf_ktime_get_boot_ns(), VOR_HTTP_CLOSED | flags,
				 unseen ? VOR_COUNT_DROPPED_STATE_LOST : VOR_COUNT_MAX);
		nginx_over(h);
	}
	c->state = CONN_IGNORED;
}

/* Made, from either side: from here on no byte passes untold, and the arrival of the first can be told. */
INLINE void connection_made(struct sock *sk)
{
	if (socket_kind(sk) != 1 || sk->sk_protocol != VOR_IPPROTO_TCP)
		return;
	struct conn *c = conn_create(sk, true);
	if (!c)
		return;
	c->received_seq = TCP_FIELD(sk, rcv_nxt);
	c->first_seq[DIR_RECV] = TCP_FIELD(sk, copied_seq);
	c->first_seq[DIR_SEND] = TCP_FIELD(sk, write_seq);
}

/* Own close: both directions are shut, and what was not read has been thrown away. (A half close leaves the response to
 * come, also when the peer's end has come before it was read; a reset leaves what was received to be read: they end by
 * the reader's or the socket's end.) */
INLINE int state_set(struct sock *sk, int old_state, int new_state)
{
	if (new_state == VOR_TCP_LISTEN) {
		listen_event(sk);
		return 0;
	}
	if (new_state == VOR_TCP_ESTABLISHED && (old_state == VOR_TCP_SYN_RECV || old_state == VOR_TCP_SYN_SENT))
		connection_made(sk);
	if (new_state <= VOR_TCP_ESTABLISHED || sk->sk_shutdown != VOR_SHUTDOWN_BOTH || sk->sk_receive_queue.qlen)
		return 0;
	connection_over(sk, 0);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(vor_sock_state, struct sock *sk, int old_state, int new_state)
{
	return UNDISTURBED(state_set(sk, old_state, new_state));
}

/* The socket goes. In process or soft interrupt context, for every TCP socket exactly once. */
INLINE int destroyed(struct sock *sk)
{
	connection_over(sk, sk->sk_err ? VOR_HTTP_PEER_RESET : 0);
#ifdef VOR_CONN_HASH
	http1_delete(sk, true);
	conn_delete(sk, true);
#endif
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(vor_sock_destroy, struct sock *sk)
{
	return UNDISTURBED(destroyed(sk));
}

/* Bytes became readable. Asked twice it says the same. If everything before them has been read, the next read begins with a byte that came now. */
INLINE int readable(struct sock *sk)
{
	if (sk->sk_protocol != VOR_IPPROTO_TCP || sk->__sk_common.skc_state == VOR_TCP_LISTEN)
		return 0;
	struct conn *c = conn_get(sk, true);
	if (!c || c->state >= CONN_IGNORED || c->role == VOR_ROLE_CLIENT)
		return 0;
	__u32 before = c->received_seq, received = TCP_FIELD(sk, rcv_nxt);
	c->received_seq = received;
	if (before != received && TCP_FIELD(sk, copied_seq) == before) {
		c->arrival_ns = bpf_ktime_get_boot_ns();
		c->arrival_seq = before;
	}
	return 0;
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(vor_data_ready, struct sock *sk)
{
	return UNDISTURBED(readable(sk));
}
