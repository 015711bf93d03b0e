/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* on_io: what happens with one socket operation. It knows neither the surface that saw it nor where state is kept. */
#pragma once

#include "../maps/conns.h"
#include "../protocols/classify.h"
#include "preempt.h"
#include "tcp.h"

INLINE void read_addresses(struct vor_address *local, struct vor_address *remote, struct sock *sk, __u8 family)
{
	if (family == VOR_AF_UNIX)
		return;
	if (family == VOR_AF_INET) {
		local->addr[10] = local->addr[11] = remote->addr[10] = remote->addr[11] = 0xff;
		*(__u32 *)(local->addr + 12) = FIELD(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)(remote->addr + 12) = FIELD(sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO(&local->addr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&remote->addr, sk, __sk_common.skc_v6_daddr);
	}
	local->port = FIELD(sk, __sk_common.skc_num);
	remote->port = swap16(FIELD(sk, __sk_common.skc_dport));
}

/* Facts of the socket that are read once a connection. Its ports are gone when it closes. */
INLINE void read_socket(struct http1 *h, struct sock *sk, __u8 family)
{
	h->family = family;
	h->netns = FIELD(sk, __sk_common.skc_net.net, ns.inum);
	if (family == VOR_AF_UNIX)
		h->peer_inode = BPF_CORE_READ((struct unix_sock *)sk, peer, sk_socket, file, f_inode, i_ino);
	read_addresses(&h->local, &h->remote, sk, family);
	h->join_ends = h->request_dir == DIR_SEND ? join_ends(&h->local, &h->remote, h->netns) :
						    join_ends(&h->remote, &h->local, h->netns);
}

/* One record that says: this connection is one we cannot read. */
INLINE int conn_unreadable(struct conn *c, struct sock *sk, struct scratch *s, __u32 protocol)
{
	c->state = CONN_IGNORED;
	struct vor_conn_record *record = &s->conn;
	__builtin_memset(record, 0, sizeof(*record));
	record->header.kind = VOR_RECORD_CONN;
	record->header.size = sizeof(*record);
	record->header.cpu = bpf_get_smp_processor_id();
	record->time_ns = s->io.now;
	record->role = c->role;
	record->protocol = protocol;
	record->family = c->family;
	process_key(&record->process, CURRENT());
	read_addresses(&record->local, &record->remote, sk, c->family);
	if (bpf_ringbuf_output(&vor_ring, record, sizeof(*record), ring_flags(s->io.now, 0)))
		count(VOR_COUNT_CONN_DROPPED);
	count(protocol == VOR_PROTO_TLS ? VOR_COUNT_CONN_TLS :
	      protocol == VOR_PROTO_HTTP2 ? VOR_COUNT_CONN_HTTP2 : VOR_COUNT_CONN_UNKNOWN);
	return 0;
}

INLINE void carry_into(struct http1 *h, struct conn *c, struct half *half, char *carry, __u32 dir)
{
	__u32 n = c->carry_length[dir & 1];
	half->carry_length = n;
	half->start_ns = c->start_ns[dir & 1];
	half->start_seq = c->start_seq[dir & 1];
	half->arrival_ns = dir == DIR_RECV ? c->start_arrival : 0;
	for (int i = 0; i < CLASSIFY_BYTES; i++)
		carry[i] = c->carry[dir & 1][i];
	c->carry_length[dir & 1] = 0;
}

/* Sequence number of the operation's first byte. Both sides of a connection count the same bytes. */
INLINE void read_sequence(struct sock *sk, struct conn *c, struct scratch *s)
{
	s->seq = 0;
	if (!c->tcp_plain)
		return;
	s->seq = stream_end(sk, s->io.dir) - (__u32)s->io.ret - s->io.after;
}

/* A client's first response, whose request has left and its hook not run yet (another thread sends it). On a connection that was
 * made before we came nothing tells; then the request, when it is seen, is found to be answered before. */
INLINE bool request_pending(struct sock *sk, struct conn *c, __u32 dir)
{
	if (dir != DIR_RECV || !c->tcp_plain || !counts_stream(sk))
		return false;
	__u32 seen = c->next_seq[DIR_SEND] ? c->next_seq[DIR_SEND] : c->first_seq[DIR_SEND], sent = stream_end(sk, DIR_SEND);
	c->answered_seq = sent;
	return seen && (__s32)(sent - seen) > 0;
}

INLINE bool answered_before(struct conn *c, __u32 dir)
{
	__u32 answered = c->answered_seq;
	c->answered_seq = 0;
	return dir == DIR_SEND && answered && (__s32)(answered - c->start_seq[DIR_SEND]) > 0;
}

/* The connection speaks HTTP/1; the operation of direction `dir` began with the start of a message. */
INLINE bool http1_recognised(struct sock *sk, struct conn *c, __u32 dir, __u32 request_dir)
{
	struct http1 *h = http1_create(sk, c->tcp);
	if (!h) {
		count(VOR_COUNT_STATE_FULL);
		c->state = CONN_IGNORED;
		return false;
	}
	h->request_dir = request_dir;
	h->tcp_plain = c->tcp_plain;
	h->inode = c->inode;
	read_socket(h, sk, c->family);
	if (dir == request_dir)
		carry_into(h, c, &h->request, h->request_carry, dir);
	else
		carry_into(h, c, &h->response, h->response_carry, dir);
	c->role = request_dir == DIR_RECV ? VOR_ROLE_SERVER : VOR_ROLE_CLIENT;
	if (c->tcp_plain && dir == request_dir) {
		/* What passed unseen the other way before this request is no loss of its. */
		c->first_seq[!dir] = stream_end(sk, !dir);
		c->next_seq[!dir] = 0;
	}
	c->state = CONN_HTTP1;
	return true;
}

/* Nothing known begins with this operation, nor with what follows it in the same direction: that is more of the same. */
INLINE bool turn_unknown(struct conn *c, __u32 dir)
{
	if (!c->preface)
		c->calls = CLASSIFY_CALLS;
	c->carry_length[dir] = 0;
	return false;
}

/* The turn has been looked at: what it still holds is of no interest. */
INLINE bool turn_over(struct conn *c, __u32 dir)
{
	return c->last_dir == dir + 1 && c->calls >= CLASSIFY_CALLS;
}

/* Looks for the start of a known message. Returns true when the operation's bytes are now for the HTTP/1 parser. */
INLINE bool recognise(struct sock *sk, struct conn *c, struct scratch *s)
{
	__u32 dir = s->io.dir & 1;
	if (c->last_dir != dir + 1) {
		c->last_dir = dir + 1;
		c->calls = 0;
		c->preface = 0;
		c->carry_length[dir] = 0;
		if (c->turns++ >= CLASSIFY_TURNS) {
			conn_unreadable(c, sk, s, VOR_PROTO_UNKNOWN);
			return false;
		}
	}
	if (turn_over(c, dir))
		return false;
	c->calls++;
	__u32 carried = c->carry_length[dir];
	if (carried >= CLASSIFY_BYTES)
		carried = 0;
	__u32 n = MIN((__u32)s->io.ret, CLASSIFY_BYTES - carried);
	*(__u64 *)s->buffer = 0;
	*(__u64 *)(s->buffer + 8) = 0;
	*(__u64 *)(s->buffer + 16) = 0;
	for (int i = 0; i < CLASSIFY_BYTES; i++)
		if (i < carried)
			s->buffer[i] = c->carry[dir][i];
	if (!s->io.segments || io_read(s, carried, 0, n) != n) {
		c->carry_length[dir] = 0;
		return false;
	}
	if (!carried) {
		c->start_ns[dir] = s->io.now;
		c->start_seq[dir] = s->seq;
		if (dir == DIR_RECV)
			c->start_arrival = c->arrival_seq == s->seq ? c->arrival_ns : 0;
	}
	switch (classify(s, carried + n)) {
	case GUESS_MORE:
		if (carried + n >= CLASSIFY_BYTES)
			return turn_unknown(c, dir);
		for (int i = 0; i < CLASSIFY_BYTES; i++)
			c->carry[dir][i] = s->buffer[i];
		c->carry_length[dir] = carried + n;
		return false;
	case GUESS_REQUEST:
		if (answered_before(c, dir)) {
			count(VOR_COUNT_STARTED);
			count(VOR_COUNT_DROPPED_STATE_LOST);
			break;
		}
		return http1_recognised(sk, c, dir, dir);
	case GUESS_RESPONSE:
		if (!request_pending(sk, c, dir))
			return turn_unknown(c, dir);
		return http1_recognised(sk, c, dir, DIR_SEND);
	case GUESS_TLS:
		conn_unreadable(c, sk, s, VOR_PROTO_TLS);
		return false;
	case GUESS_HTTP2:
		conn_unreadable(c, sk, s, VOR_PROTO_HTTP2);
		return false;
	case GUESS_PROXY:
		c->preface = 1;
		break;
	default:
		return turn_unknown(c, dir);
	}
	c->carry_length[dir] = 0;
	return false;
}

/* The connection stays, its HTTP/1 state goes; open exchanges are dropped under `counter`. */
INLINE void http1_forget(struct sock *sk, struct conn *c, struct http1 *h, __u64 now, __u32 counter, __u32 state)
{
	exchanges_finish(h, now, 0, counter);
	nginx_over(h);
	c->announced.valid = 0;
	http1_delete(sk, c->tcp);
	c->state = state;
	c->turns = c->calls = c->last_dir = 0;
	c->role = VOR_ROLE_UNKNOWN;
	c->carry_length[0] = c->carry_length[1] = 0;
}

/* The process is rejected: what it has open is dropped, the verdict stays until the next generation. */
INLINE void reject(struct sock *sk, struct conn *c)
{
	if (c->state == CONN_HTTP1) {
		struct http1 *h = http1_get(sk, c->tcp);
		if (h)
			http1_forget(sk, c, h, 0, VOR_COUNT_DROPPED_REJECTED, CONN_REJECTED);
	}
	if (c->state != CONN_IGNORED)
		c->state = CONN_REJECTED;
}

/* What is open has no true size and no true end any more: an operation passed unseen. */
INLINE void operation_missed(struct sock *sk, struct conn *c, __u32 dir)
{
	c->carry_length[dir & 1] = 0;
	if (c->state != CONN_HTTP1)
		return;
	struct http1 *h = http1_get(sk, c->tcp);
	if (h)
		http1_forget(sk, c, h, 0, VOR_COUNT_DROPPED_STATE_LOST, CONN_NEW);
}

/* Bytes have passed this way that no hook was called for. (An end that was sent has a number of its own.) */
INLINE bool passed_unseen(struct sock *sk, struct conn *c, __u32 dir)
{
	__u32 next = c->next_seq[dir & 1], end = dir == DIR_SEND && (FIELD(sk, sk_shutdown) & VOR_SHUTDOWN_SEND);
	return next && (__s32)(stream_end(sk, dir) - next - end) > 0 && counts_bytes(sk, c);
}

/* Where no sequence number tells: the head of a message where a body should go on says that the body's end was not seen. */
INLINE bool head_in_body(struct sock *sk, struct conn *c, struct http1 *h, struct half *half, struct scratch *s)
{
	if (half->state != HALF_LENGTH || counts_bytes(sk, c) || !s->io.segments || s->io.ret < CLASSIFY_BYTES)
		return false;
	if (s->request && (__s32)(h->response_next - half->index) <= 0)
		return false;
	if (io_read(s, 0, 0, CLASSIFY_BYTES) != CLASSIFY_BYTES)
		return false;
	return s->request ? classify(s, CLASSIFY_BYTES) == GUESS_REQUEST : (*(__u64 *)s->buffer & 0xffffffffffffffull) == 0x2e312f50545448ull;
}

/* A chunked body whose end could not be told is over when the other direction has moved on. */
INLINE void inexact_over(struct http1 *h, bool request, struct half *half)
{
	__s32 ahead = (request ? h->response_next : h->request_next) - half->index;
	if (ahead <= !request)
		return;
	half->index++;
	if (!request)
		h->response_next = half->index;
	half_next(half);
}

/* False when there is nothing to parse. */
INLINE bool http1_begin(struct sock *sk, struct conn *c, struct http1 *h, struct scratch *s)
{
	struct io *io = &s->io;
	s->request = io->dir == h->request_dir;
	struct half *half = s->request ? &h->request : &h->response;
	if (!s->request && (half->flags & HEAD_EARLY) && h->head_late == half->index + 1)
		response_no_body(h, s);
	if (head_in_body(sk, c, h, half, s)) {
		operation_missed(sk, c, io->dir);
		return false;
	}
	/* An answer before the end of what was asked, or the rest was read in a way that is not seen. */
	struct half *asked = &h->request;
	if (!s->request && h->request_dir == DIR_RECV && asked->state >= HALF_LENGTH && asked->state <= HALF_TRAILER &&
	    passed_unseen(sk, c, DIR_RECV))
		asked->state = HALF_INEXACT;
	/* Most operations that are no head: part of a body. */
	if (half->state == HALF_LENGTH && half->left > (__u32)io->ret) {
		half->left -= (__u32)io->ret;
		half->body += (__u32)io->ret;
		if (s->request)
			h->request_seq += (__u32)io->ret;
		return false;
	}
	if (half->state == HALF_DEAD)
		return false;
	if (s->request && io->dir == DIR_RECV)
		s->nonblocking = !!(FIELD(sk, sk_socket, file, f_flags) & VOR_O_NONBLOCK);
	if (half->state == HALF_INEXACT)
		inexact_over(h, s->request, half);
	return true;
}

/* What follows from enum round_result. */
INLINE void http1_end(struct sock *sk, struct conn *c, struct http1 *h, struct scratch *s, int result)
{
	struct io *io = &s->io;
	struct half *half = s->request ? &h->request : &h->response;
	if (s->request)
		request_moved(h, s);
	switch (result) {
	case ROUND_ON:
		return;
	case ROUND_UPGRADED:
		http1_forget(sk, c, h, io->now, VOR_COUNT_DROPPED_STATE_LOST, CONN_IGNORED);
		return;
	case ROUND_FAULT:
		count(io->segments ? VOR_COUNT_READ_FAULT : VOR_COUNT_UNSEEN_SEGMENT);
		http1_forget(sk, c, h, io->now, VOR_COUNT_DROPPED_STATE_LOST, CONN_NEW);
		return;
	default:
		if (s->request) {
			/* The peer may still answer what it has; only this direction is given up. */
			half->state = HALF_DEAD;
			count(VOR_COUNT_MALFORMED);
			return;
		}
		count(VOR_COUNT_MALFORMED);
		http1_forget(sk, c, h, io->now, VOR_COUNT_DROPPED_STATE_LOST, CONN_IGNORED);
	}
}

/* The peer has closed or an error came back. What a client still waits for will not come; what a server holds may still
 * be answered (half close), unless its sending failed. */
INLINE void on_end(struct sock *sk, struct conn *c, __u32 dir, int ret, __u64 now)
{
	if (c->state != CONN_HTTP1)
		return;
	struct http1 *h = http1_get(sk, c->tcp);
	if (!h)
		return;
	if (passed_unseen(sk, c, DIR_RECV) || passed_unseen(sk, c, DIR_SEND)) {
		operation_missed(sk, c, dir);
		return;
	}
	bool client = h->request_dir == DIR_SEND;
	if (ret == 0 ? client && dir == DIR_RECV : !(client && dir == DIR_SEND))
		exchanges_finish(h, now, VOR_HTTP_CLOSED | (ret ? VOR_HTTP_PEER_RESET : 0), VOR_COUNT_MAX);
}

/* Bytes take ways that a surface does not see: out of a socket into a pipe or by mapping its pages, io_uring (D), a
 * kretprobe too many (C), a hook call that the kernel skipped (preempt.h). The sequence numbers tell. */
INLINE void unseen_bytes(struct sock *sk, struct conn *c, struct scratch *s)
{
	__u32 dir = s->io.dir & 1;
	read_sequence(sk, c, s);
	if (!c->tcp_plain)
		return;
	__u32 expected = c->next_seq[dir], first = c->first_seq[dir];
	c->next_seq[dir] = s->seq + (__u32)s->io.ret;
	/* The first one this way may have been under way when the other way's first told where it must begin. */
	if (expected ? expected == s->seq : !first || (__s32)(s->seq - first) <= 0)
		return;
	if (counts_stream(sk))
		operation_missed(sk, c, dir);
}

/* The HTTP/1 state whose parser is to read this operation, NULL = none. */
INLINE struct http1 *io_begin(struct sock *sk, struct conn *c, struct scratch *s)
{
	struct http1 *h;
	unseen_bytes(sk, c, s);
	if (c->state == CONN_HTTP1) {
		h = http1_get(sk, c->tcp);
		if (!h) {
			c->state = CONN_NEW;
			return NULL;
		}
	} else {
		if (!recognise(sk, c, s)) {
			/* What looked like a request before it was sent is none. */
			if (s->io.dir == DIR_SEND && !c->carry_length[DIR_SEND])
				c->announced.valid = 0;
			return NULL;
		}
		h = http1_get(sk, c->tcp);
		if (!h)
			return NULL;
	}
	return http1_begin(sk, c, h, s) ? h : NULL;
}

#ifdef VOR_OLD
#include "steps.h"
#else
/* Returns whether there is more to do by tail calls: never, but on old kernels (steps.h). */
INLINE int on_io(struct sock *sk, struct conn *c, struct scratch *s)
{
	struct http1 *h = io_begin(sk, c, s);
	if (h)
		http1_end(sk, c, h, s, http1_parse(c, h, s));
	return 0;
}

#define STEPS(name, section, user)
#define RUN(ctx, name, operation) return operation
#endif
