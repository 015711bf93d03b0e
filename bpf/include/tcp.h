/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The byte counts of a TCP socket: what the application has read and written, whichever way it did. */
#pragma once

#include "state.h"

/* A field of one of the larger structures that a TCP socket is the beginning of. Where the kernel can be told so (6.2,
 * bpf_rdonly_cast) it is one load, else a helper's. */
#ifdef VOR_FOUND_SOCKETS
#define BEHIND(type, sk, field) BPF_CORE_READ((type *)sk, field)
#else
extern void *bpf_rdonly_cast(void *object, __u32 btf_id) __ksym __weak;
#define BEHIND(type, sk, field)                                                                               \
	(bpf_rdonly_cast ? ((type *)bpf_rdonly_cast(sk, bpf_core_type_id_kernel(type)))->field :              \
			   BPF_CORE_READ((type *)sk, field))
#endif
#define TCP_FIELD(sk, field) BEHIND(struct tcp_sock, sk, field)

/* Sequence number behind the last byte that the application has moved this way. */
INLINE __u32 stream_end(struct sock *sk, __u32 dir)
{
	if (dir == DIR_SEND)
		return TCP_FIELD(sk, write_seq);
	__u32 end = TCP_FIELD(sk, copied_seq);
	/* The peer's end has a number of its own; it was passed together with the last bytes. */
	if ((1 << FIELD(sk, __sk_common.skc_state) & VOR_TCP_PEER_ENDED) && end == TCP_FIELD(sk, rcv_nxt))
		end--;
	return end;
}

/* The sequence numbers of this TCP socket count what the application moves: no kernel TLS, in no sockmap. */
INLINE bool counts_stream(struct sock *sk)
{
	return !BEHIND(struct inet_connection_sock, sk, icsk_ulp_ops) && !FIELD(sk, sk_user_data);
}

INLINE bool counts_bytes(struct sock *sk, struct conn *c)
{
	return c->tcp_plain && counts_stream(sk);
}
