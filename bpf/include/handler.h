/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* on_io: what happens with one socket operation. It knows neither the surface that saw it nor where state is kept. */
#pragma once

#include "preempt.h"
#include "recognise.h"

/* Sequence number of the operation's first byte. Both sides of a connection count the same bytes. */
INLINE void read_sequence(struct sock *sk, struct conn *c, struct scratch *s)
{
	s->seq = 0;
	if (!c->tcp_plain)
		return;
	s->seq = stream_end(sk, s->io.dir) - (__u32)s->io.ret - s->io.after;
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
