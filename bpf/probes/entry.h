/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The moment before a request's bytes leave (kernel 6.16): the only one at which ids can be published that the server on
 * the same host is sure to find, because it may read before the client's send returns. */
#pragma once

#include "socket.h"

INLINE void publish(struct conn *c, struct temporary *t, __u64 ends)
{
	struct announced *a = &c->announced;
	struct joined *joined = &t->joined;
	joined->ids.sampled = a->sampled;
	joined->ids._pad = 0;
	__builtin_memcpy(joined->ids.trace_id, a->trace_id, 16);
	__builtin_memcpy(joined->ids.span_id, a->span_id, 8);
	process_key(&joined->process, CURRENT());
	join_publish(ends, a->seq, joined);
	a->published = 1;
}

/* The ends of a connection whose protocol is not known yet. */
INLINE __u64 read_ends(struct sock *sk, struct conn *c, struct temporary *t)
{
	__builtin_memset(&t->local, 0, sizeof(t->local));
	__builtin_memset(&t->remote, 0, sizeof(t->remote));
	read_addresses(&t->local, &t->remote, sk, c->family);
	return join_ends(&t->local, &t->remote, FIELD(sk, __sk_common.skc_net.net, ns.inum));
}

/* The first bytes of what is sent are those of a request: its method, else -1. */
INLINE int first_request(struct conn *c, struct scratch *s)
{
	__u32 length;
	s->io.call = c->multi[DIR_SEND];
	io_from_syscall(&s->io);
	if (!s->io.segments)
		return -1;
	*(__u64 *)s->buffer = 0;
	*(__u64 *)(s->buffer + 8) = 0;
	*(__u64 *)(s->buffer + 16) = 0;
	int n = io_read(s, 0, 0, CLASSIFY_BYTES);
	if (n <= 0 || n > CLASSIFY_BYTES || classify(s, n) != GUESS_REQUEST)
		return -1;
	return known_method(*(__u64 *)s->buffer, &length);
}

/* Bytes that a send takes without waiting for room. */
#define ENTRY_SMALL 8192

/* `size`: bytes of the send, or more. May be called several times in one send; only the first can be at a request's start. */
INLINE int send_entry(struct sock *sk, __u64 size)
{
	if (vor_hooks_seen != HOOKS_ALL || socket_kind(sk) != 1 || FIELD(sk, sk_protocol) != VOR_IPPROTO_TCP)
		return 0;
	struct conn *c = conn_of(sk, true);
	if (!c || c->state >= CONN_IGNORED || c->role == VOR_ROLE_SERVER)
		return 0;
	/* Later in the same send. At the same place it is a send that moved nothing before: perhaps of another request. */
	__u32 seq = TCP_FIELD(sk, write_seq);
	if (c->announced.valid && c->announced.seq != seq)
		return 0;
	struct http1 *h = NULL;
	if (c->state == CONN_HTTP1) {
		h = http1_get(sk, true);
		if (!h || h->request_dir != DIR_SEND || h->request.state != HALF_FIRST_LINE || h->request.carry_length)
			return 0;
	} else if (c->carry_length[DIR_SEND] || turn_over(c, DIR_SEND)) {
		return 0;
	}
	__u64 id = bpf_get_current_pid_tgid();
	if (!selected(c, id >> 32)) {
		reject(sk, c);
		return 0;
	}
	struct scratch *s = scratch_get(SCRATCH_ENTRY);
	if (!s)
		return 0;
	int method = VOR_METHOD_OTHER;
	if (!h) {
		method = first_request(c, s);
		if (method < 0)
			return 0;
	} else if (c->selection & SELECTION_NGINX) {
		/* Between its requests a client sends nothing else: no need to look. */
		io_descriptor(&s->io);
	}
	s->io.tid = (__u32)id;
	s->io.tgid = id >> 32;
	/* The clock is a tenth of what this costs: read where the end of the send, which it is read at anyway, may be late. */
	s->io.now = size > ENTRY_SMALL ? bpf_ktime_get_boot_ns() : ~0ull;
	announce(c, s, seq);
	c->announced.method = method;
	publish(c, &s->t, h ? h->join_ends : read_ends(sk, c, &s->t));
	return 0;
}

#ifndef VOR_OWN_ENTRY
/* Fires once for each buffer a send fills. */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(vor_send_entry, struct sock *sk, struct msghdr *msg)
{
	return UNDISTURBED(send_entry(sk, msg->msg_iter.count));
}
#endif
