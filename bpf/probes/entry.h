/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The moment before a request's bytes leave (kernel 6.16): the only one at which ids can be published that the server on
 * the same host is sure to find, because it may read before the client's send returns. */
#pragma once

#include "socket.h"

INLINE void publish(struct sock *sk, struct conn *c, struct temporary *t)
{
	struct announced *a = &c->announced;
	struct joined *joined = &t->joined;
	__builtin_memset(&t->local, 0, sizeof(t->local));
	__builtin_memset(&t->remote, 0, sizeof(t->remote));
	joined->ids.sampled = a->sampled;
	joined->ids._pad = 0;
	read_addresses(&t->local, &t->remote, sk, c->family);
	join_key_fill(&t->key, &t->local, &t->remote, FIELD(sk, __sk_common.skc_net.net, ns.inum), a->seq);
	__builtin_memcpy(joined->ids.trace_id, a->trace_id, 16);
	__builtin_memcpy(joined->ids.span_id, a->span_id, 8);
	process_key(&joined->process, CURRENT());
	join_publish(&t->key, joined);
	a->published = 1;
}

/* May be called several times in one send; only the first can be at a request's start. */
INLINE int send_entry(struct sock *sk)
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
	if (c->state == CONN_HTTP1) {
		struct http1 *h = http1_get(sk, true);
		if (!h || h->request_dir != DIR_SEND || h->request.state != HALF_FIRST_LINE || h->request.carry_length)
			return 0;
	} else if (c->carry_length[DIR_SEND]) {
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
	s->io.call = c->multi[DIR_SEND];
	io_from_syscall(&s->io);
	if (!s->io.segments)
		return 0;
	*(__u64 *)s->buffer = 0;
	*(__u64 *)(s->buffer + 8) = 0;
	*(__u64 *)(s->buffer + 16) = 0;
	int n = io_read(s, 0, 0, CLASSIFY_BYTES);
	if (n <= 0 || n > CLASSIFY_BYTES || classify(s, n) != GUESS_REQUEST)
		return 0;
	s->io.tid = (__u32)id;
	s->io.tgid = id >> 32;
	s->io.now = bpf_ktime_get_boot_ns();
	announce(c, s, seq);
	__u32 length;
	c->announced.method = known_method(*(__u64 *)s->buffer, &length);
	publish(sk, c, &s->t);
	return 0;
}

#ifndef VOR_OWN_ENTRY
/* Fires once for each buffer a send fills. */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(vor_send_entry, struct sock *sk)
{
	return UNDISTURBED(send_entry(sk));
}
#endif
