/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* From the first bytes of a connection to its protocol. Most connections of a machine end here. */
#pragma once

#include "../protocols/classify.h"
#include "ends.h"
#include "tcp.h"

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

/* What earlier operations brought of the message becomes the parser's carry; `empty`: bytes of empty lines before it, which are
 * left out, because the parser may end a window behind a line and goes back within the operation only, not into a carry. */
INLINE void carry_into(struct conn *c, struct half *half, char *carry, __u32 dir, __u32 empty)
{
	__u32 n = c->carry_length[dir & 1], skip = MIN(empty, n);
	half->carry_length = n - skip;
	half->start_ns = c->start_ns[dir & 1];
	half->start_seq = c->start_seq[dir & 1] + skip;
	half->arrival_ns = dir == DIR_RECV && !skip ? c->start_arrival : 0;
	for (int i = 0; i < CLASSIFY_BYTES; i++)
		carry[i] = c->carry[dir & 1][(i + skip) & (CLASSIFY_BYTES - 1)];
	c->carry_length[dir & 1] = 0;
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
INLINE bool http1_recognised(struct sock *sk, struct conn *c, __u32 dir, __u32 request_dir, __u32 empty)
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
		carry_into(c, &h->request, h->request_carry, dir, empty);
	else
		carry_into(c, &h->response, h->response_carry, dir, empty);
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
		return http1_recognised(sk, c, dir, dir, empty_lines(s));
	case GUESS_RESPONSE:
		if (!request_pending(sk, c, dir))
			return turn_unknown(c, dir);
		return http1_recognised(sk, c, dir, DIR_SEND, empty_lines(s));
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
