/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* HTTP/1 as two independent incremental parsers, one a direction. Requests flow one way, responses the other; whoever
 * sends requests is the client. Every function here gives the same result for every cut of the same bytes. */
#pragma once

#include "../include/emit.h"
#include "../include/exchange.h"
#include "../maps/scratch.h"

/* Windows of head bytes and steps over body framing looked at in one operation. */
#ifdef VOR_OLD
#define ROUNDS_MAX 60 /* what the tail calls allow, and some for the response's head */
#else
#define ROUNDS_MAX 96
#endif
/* Chunk headers walked in one operation. Beyond: VOR_HTTP_SIZE_INEXACT. */
#define CHUNKS_MAX 32
/* Bytes of a line that overflowed the carry: its start, and this many from its end. */
#define LINE_TAIL 16
#ifdef VOR_OLD
/* A window ends after one line that is looked at. */
#define HEAD_WINDOWS_MAX 256
#define WINDOW 512
#define NO_FEED 0xffffffffu
#define PART static __attribute__((noinline))
#define SCAN_STEPS 64
#else
/* Bytes of a head looked at in one operation; a longer one is given up. */
#define HEAD_WINDOWS_MAX 16
#define WINDOW IO_READ_MAX
#define SCAN_STEPS (IO_READ_MAX / 8 + 128)
#define PART INLINE
#endif

/* Up to here a target or host is copied in words, whatever follows it: the call for exact copies costs as much as 200. */
#define TARGET_SHORT 64
#define HOST_SHORT 32

#define LOWER 0x2020202020202020ull
#define WORD(a, b, c, d, e, f, g, h)                                                                              \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 | \
	 (__u64)(g) << 48 | (__u64)(h) << 56)

enum round_result {
	ROUND_ON = 0,
	ROUND_MALFORMED = 1,
	ROUND_FAULT = 2,
	ROUND_UPGRADED = 3,
};

/* Lives on the stack of the program; everything that changes lives behind the pointers. */
struct work {
	struct conn *c;
	struct http1 *h;
	struct scratch *s;
};

INLINE __u64 load8(struct scratch *s, __u32 at)
{
	__u64 place = at;
	BOUND(place, 2047);
	return *(__u64 *)(s->buffer + place);
}

INLINE __u8 load1(struct scratch *s, __u32 at)
{
	__u64 place = at;
	BOUND(place, 2047);
	return s->buffer[place];
}

INLINE bool slots_free(struct http1 *h)
{
	__u32 used = 0;
	for (int i = 0; i < SLOTS; i++)
		used |= h->slots[i].state;
	return !used;
}

INLINE struct half *half_of(struct work *w)
{
	return w->s->request ? &w->h->request : &w->h->response;
}

INLINE void half_next(struct half *half)
{
	half->state = HALF_FIRST_LINE;
	half->flags = 0;
	half->left = 0;
	half->body = 0;
	half->length = 0;
	half->carry_length = 0;
}

/* The first byte of a message is at `offset` of this operation. */
INLINE void message_starts(struct conn *c, struct scratch *s, struct half *half, __u32 offset)
{
	half->start_ns = s->io.now;
	half->start_seq = s->seq + offset;
	half->arrival_ns = s->io.dir == DIR_RECV && c->arrival_seq == half->start_seq ? c->arrival_ns : 0;
}

#ifdef VOR_OLD
#include "branchless.h"
#endif

/* ---- the end of a message ---- */

/* Whether request bytes have left whose hook has not run yet (another thread sends): the request is not what it seems. */
INLINE bool request_ahead(struct http1 *h, struct scratch *s)
{
	if (h->request_dir != DIR_SEND || !h->tcp_plain)
		return false;
	struct tcp_sock *tp = (struct tcp_sock *)s->io.sock;
	return BPF_CORE_READ(tp, write_seq) != *(volatile __u32 *)&h->request_seq;
}

/* The end of an exchange whose response ended first, if the hooks of its request have caught up. Either side may come here. */
INLINE void early_over(struct http1 *h, struct scratch *s, struct slot *slot)
{
	if (!h->early_done || slot->index != h->early.index || !(*(volatile __u32 *)&slot->state & SLOT_REQUEST))
		return;
	if (!(*(volatile __u32 *)&slot->record.flags & VOR_HTTP_REQUEST_COMPLETE) && request_ahead(h, s))
		return;
	exchange_early(h, slot);
}

/* What the hook has seen of the request so far is in its slot: from now on a response may end it. */
INLINE void request_told(struct http1 *h, struct half *half, struct slot *slot)
{
	__u32 method = slot->record.method;
	half->flags &= ~HEAD_UNTOLD;
	set_bits(&slot->state, SLOT_REQUEST);
	h->request_next = half->index + 1;
	if (method == VOR_METHOD_HEAD && (*(volatile __u32 *)&h->response.flags & HEAD_EARLY) && h->response.index == half->index)
		h->head_late = half->index + 1;
}

/* The end of an operation that moved request bytes. */
ALONE int request_moved(struct http1 *h, struct scratch *s)
{
	if (!h || !s)
		return 0;
	struct half *half = &h->request;
	struct slot *slot = slot_at(h, half->index);
	h->request_seq = s->seq + (__u32)s->io.ret;
	if (half->flags & HEAD_UNTOLD)
		request_told(h, half, slot);
	if (half->flags & HEAD_SLOT)
		early_over(h, s, slot);
	return 0;
}

/* All of the request has been seen. */
ALONE int request_whole(struct http1 *h, struct scratch *s)
{
	if (!h || !s)
		return 0;
	struct half *half = &h->request;
	struct slot *slot = slot_at(h, half->index);
	slot->record.request_end_ns = s->io.now;
	slot->record.request_body = half->body;
	if (half->state == HALF_INEXACT)
		slot->record.flags |= VOR_HTTP_SIZE_INEXACT;
	if (half->flags & HEAD_UNTOLD) {
		slot->record.flags |= VOR_HTTP_REQUEST_COMPLETE;
		request_told(h, half, slot);
	} else {
		set_bits(&slot->record.flags, VOR_HTTP_REQUEST_COMPLETE);
	}
	early_over(h, s, slot);
	return 0;
}

INLINE void request_end(struct work *w, struct half *half)
{
	struct slot *slot = slot_at(w->h, half->index);
	/* While the exchange is open the slot still has our index; a slot already emitted must not be touched. */
	if ((half->flags & HEAD_SLOT) && slot->index == half->index && (slot->state & SLOT_REQUEST || half->flags & HEAD_UNTOLD))
		request_whole(w->h, w->s);
	half->index++;
	half_next(half);
}

/* `flags`: what is true of this end beside VOR_HTTP_RESPONSE_SEEN. */
ALONE int response_end(struct http1 *h, struct scratch *s, __u32 flags)
{
	if (!h || !s)
		return 0;
	struct half *half = &h->response;
	struct slot *slot = slot_at(h, half->index);
	bool early = half->flags & HEAD_EARLY;
	if (half->flags & HEAD_SLOT) {
		if (!(slot->record.flags & VOR_HTTP_REQUEST_COMPLETE) && request_ahead(h, s)) {
			early = true;
			h->early.index = half->index;
			h->early.status = slot->record.status;
			h->early.response_ns = slot->record.response_ns;
		} else {
			slot->record.response_body = half->body;
			slot->end_ns = s->io.now;
			slot->response_flags |= flags;
			if (slot_own(slot, SLOT_RESPONSE)) {
				exchange_closed(h, slot);
				emit_slot(h, slot, s->io.now, 0);
			}
		}
	}
	if (early) {
		h->early.end_ns = s->io.now;
		h->early.body = half->body;
		h->early.flags = VOR_HTTP_RESPONSE_SEEN | flags;
		set_bits(&h->early_done, 1);
		/* The request's hook may have run meanwhile, without seeing this. */
		early_over(h, s, slot_at(h, half->index));
	}
	if (!(half->flags & HEAD_UNASKED))
		half->index++;
	h->response_next = half->index;
	half_next(half);
	return 0;
}

/* The response under way answers a HEAD, which was not known when its head was seen: it ended there. */
INLINE void response_no_body(struct http1 *h, struct scratch *s)
{
	__u64 now = s->io.now;
	s->io.now = h->early.response_ns;
	h->response.body = 0;
	response_end(h, s, VOR_HTTP_RESPONSE_COMPLETE);
	s->io.now = now;
}

/* ---- first lines ---- */

/* Position of the first space within the first 64 bytes after `from`, 0 = none. */
#ifndef VOR_OLD
ALONE int find_space(struct scratch *s, __u32 from)
{
	if (!s)
		return 0;
	for (int i = 1; i < 64; i++)
		if (load1(s, from + i) == ' ')
			return i;
	return 0;
}
#endif

INLINE __u32 known_method(__u64 w, __u32 *length)
{
	switch ((__u32)w) {
	case 0x20544547: *length = 3; return VOR_METHOD_GET;
	case 0x20545550: *length = 3; return VOR_METHOD_PUT;
	case 0x54534f50: if ((w >> 32 & 0xff) == ' ') { *length = 4; return VOR_METHOD_POST; } break;
	case 0x44414548: if ((w >> 32 & 0xff) == ' ') { *length = 4; return VOR_METHOD_HEAD; } break;
	case 0x43544150: if ((w >> 32 & 0xffff) == 0x2048) { *length = 5; return VOR_METHOD_PATCH; } break;
	case 0x43415254: if ((w >> 32 & 0xffff) == 0x2045) { *length = 5; return VOR_METHOD_TRACE; } break;
	case 0x454c4544: if ((w >> 32 & 0xffffff) == 0x204554) { *length = 6; return VOR_METHOD_DELETE; } break;
	case 0x4e4e4f43: if (w >> 32 == 0x20544345) { *length = 7; return VOR_METHOD_CONNECT; } break;
	case 0x4954504f: if (w >> 32 == 0x20534e4f) { *length = 7; return VOR_METHOD_OPTIONS; } break;
	}
	*length = 0;
	return VOR_METHOD_OTHER;
}

/* A request line in buffer[line, line + n); only the first `text` bytes and the last LINE_TAIL are there to look at. */
INLINE int request_line(struct work *w, struct half *half, __u32 line, __u32 n, __u32 text)
{
	struct scratch *s = w->s;
	struct http1 *h = w->h;
	if (n < 14)
		return ROUND_MALFORMED;
	/* "HTTP/1.x" is the end of the line, a space before it. */
	__u64 version = load8(s, line + n - 8);
	if ((version & 0x00ffffffffffffffull) != WORD('H', 'T', 'T', 'P', '/', '1', '.', 0) || load1(s, line + n - 9) != ' ' ||
	    (version >> 56) - '0' > 9)
		return ROUND_MALFORMED;
	/* The methods of requests further ahead than this are not told apart. */
	if (half->index - h->response_next >= OUTSTANDING_MAX)
		return ROUND_MALFORMED;
	__u32 length, method = known_method(load8(s, line), &length);
	if (!length) {
		length = find_space(s, line);
		__u8 first = load1(s, line);
		if (!length || first <= ' ' || first >= 0x7f)
			return ROUND_MALFORMED;
	}
	if (length + 11 > n)
		return ROUND_MALFORMED;
	if (version >> 56 == '0')
		half->flags |= HEAD_VERSION_10;
	__u64 bit = 1ull << (half->index & 63);
	h->head_methods = method == VOR_METHOD_HEAD ? h->head_methods | bit : h->head_methods & ~bit;
	h->connect_methods = method == VOR_METHOD_CONNECT ? h->connect_methods | bit : h->connect_methods & ~bit;
	*(volatile __u32 *)&h->methods_next = half->index + 1;

	/* Always the first one while requests come one by one: a quarter of the cache lines. */
	if (h->response_next == half->index && slots_free(h))
		*(volatile __u32 *)&h->slot_base = half->index;
	struct slot *slot = slot_at(h, half->index);
	if (slot->state)
		return ROUND_ON; /* no room: counted when the head is complete */
	half->flags |= HEAD_SLOT;
	__builtin_memset(&slot->record, 0, sizeof(slot->record));
	slot->index = half->index;
	slot->response_flags = 0;
	slot->end_ns = 0;
	slot->owner_tid = 0;
	slot->fd = -1;
	slot->record.method = method;
	__u32 flags = version >> 56 == '0' ? VOR_HTTP_VERSION_10 : 0;
	/* Exactly what precedes " HTTP/1.x"; a line cut by the carry still has at least VOR_TARGET_MAX of it. */
	__u64 target = n - 9 - length - 1;
	if (target > VOR_TARGET_MAX) {
		target = VOR_TARGET_MAX;
		flags |= VOR_HTTP_TARGET_TRUNCATED;
	}
	__u64 from = line + length + 1;
	BOUND(from, 2047);
	BOUND(target, 511);
	if (target > VOR_TARGET_MAX)
		return ROUND_MALFORMED;
	if (target <= TARGET_SHORT)
		for (int i = 0; i < TARGET_SHORT; i += 8)
			*(__u64 *)(slot->text + i) = load8(s, from + i);
	else
		bpf_probe_read_kernel(slot->text, target, s->buffer + from);
	slot->record.target_len = target;
	if (method == VOR_METHOD_OTHER) {
		__u64 m = length;
		if (m > VOR_METHOD_MAX) {
			m = VOR_METHOD_MAX;
			flags |= VOR_HTTP_METHOD_TRUNCATED;
		}
		from = line;
		BOUND(from, 2047);
		BOUND(m, 31);
		if (m > VOR_METHOD_MAX)
			return ROUND_MALFORMED;
		bpf_probe_read_kernel(slot->method_text, m, s->buffer + from);
		slot->record.method_len = m;
	}
	slot->record.flags = flags;
	return ROUND_ON;
}

INLINE int status_line(struct work *w, struct half *half, __u32 line, __u32 n)
{
	struct scratch *s = w->s;
	if (n < 12)
		return ROUND_MALFORMED;
	__u64 head = load8(s, line);
	if ((head & 0x00ffffffffffffffull) != WORD('H', 'T', 'T', 'P', '/', '1', '.', 0) || (head >> 56) - '0' > 9)
		return ROUND_MALFORMED;
	__u64 code = load8(s, line + 8);
	__u32 a = (code >> 8 & 0xff) - '0', b = (code >> 16 & 0xff) - '0', c = (code >> 24 & 0xff) - '0';
	if ((code & 0xff) != ' ' || a - 1 > 8 || b > 9 || c > 9 || (n > 12 && (code >> 32 & 0xff) != ' '))
		return ROUND_MALFORMED;
	half->status = a * 100 + b * 10 + c;
	return ROUND_ON;
}

/* ---- header lines ---- */

/* 0 for a space or a tab. One multiplication instead of two branches: the verifier walks every path of a loop. */
INLINE __u32 not_blank(__u8 byte)
{
	__u32 product = (__u32)(byte ^ ' ') * (__u32)(byte ^ '\t');
	OPAQUE(product);
	return product;
}

/* Number of blanks at the start (at most 64) and at the end of a value. Few values have any but one at the start. */
#ifndef VOR_OLD
ALONE __u32 leading_blanks(struct scratch *s, __u32 at, __u32 end)
{
	if (!s)
		return 0;
	for (int i = 0; i < 64; i++)
		if (at + i >= end || not_blank(load1(s, at + i)))
			return i;
	return 64;
}
#endif

#ifndef VOR_OLD
ALONE __u32 trailing_blanks(struct scratch *s, __u32 at, __u32 end)
{
	if (!s)
		return 0;
	for (int i = 0; i < 64; i++)
		if (end - i <= at || not_blank(load1(s, end - i - 1)))
			return i;
	return 64;
}
#endif

struct span {
	__u32 at;
	__u32 end;
};

/* The value of a header line without the blanks around it. */
INLINE struct span value_of(struct scratch *s, __u32 at, __u32 end)
{
	struct span v = {.at = at, .end = end};
	if (at + 2 <= end && load1(s, at) == ' ')
		v.at++;
	if (v.at < end && not_blank(load1(s, v.at)) && not_blank(load1(s, end - 1)))
		return v;
	v.at += leading_blanks(s, v.at, end);
	v.end -= trailing_blanks(s, v.at, end);
	return v;
}

#ifndef VOR_OLD
ALONE int content_length(struct scratch *s, struct half *half, __u32 at, __u32 end)
{
	__u64 value = 0;
	if (!s || !half || end - at > 18 || end == at || (half->flags & HEAD_LENGTH))
		return ROUND_MALFORMED;
	for (int i = 0; i < 18; i++) {
		if (at + i >= end)
			break;
		__u64 digit = load1(s, at + i) - '0';
		if (digit > 9)
			return ROUND_MALFORMED;
		value = value * 10 + digit;
	}
	half->length = value;
	half->flags |= HEAD_LENGTH | HEAD_LAST_FRAMING;
	return ROUND_ON;
}
#endif

/* The last transfer coding decides; several lines are one list. */
INLINE void transfer_encoding(struct scratch *s, struct half *half, __u32 at, __u32 end)
{
	half->flags |= HEAD_CODING | HEAD_LAST_FRAMING;
	half->flags &= ~HEAD_CHUNKED;
	if (end - at < 7)
		return;
	__u32 from = end - 7;
	if (((load8(s, from) | LOWER) & 0x00ffffffffffffffull) != WORD('c', 'h', 'u', 'n', 'k', 'e', 'd', 0))
		return;
	if (from > at) {
		__u8 before = load1(s, from - 1);
		if (before != ',' && before != ' ' && before != '\t')
			return;
	}
	half->flags |= HEAD_CHUNKED;
}

/* Eight lower-case hex digits to four bytes in memory order; false if any is not one. */
INLINE bool hex8(__u64 w, __u32 *out)
{
	__u64 n = (w & 0x0f0f0f0f0f0f0f0full) + ((w >> 6) & 0x0101010101010101ull) * 9;
	__u64 letter = ((n + 0x0606060606060606ull) >> 4) & 0x0101010101010101ull;
	if ((n & 0xf0f0f0f0f0f0f0f0ull) || n + 0x3030303030303030ull + letter * 0x27 != w)
		return false;
	n = ((n << 4) | (n >> 8)) & 0x00ff00ff00ff00ffull;
	n = (n | n >> 8) & 0x0000ffff0000ffffull;
	*out = (__u32)(n | n >> 16);
	return true;
}

/* W3C trace context: version, trace id, parent id, flags. Version 00 has nothing after the flags; a higher one may go
 * on after a dash; ff is forbidden. */
ALONE int traceparent(struct scratch *s, struct slot *slot, __u32 at, __u32 end)
{
	__u32 n = end - at, version, flags, t[4], p[2];
	if (!s || !slot || n < 55)
		return 0;
	__u64 w = load8(s, at);
	if ((w >> 16 & 0xff) != '-' || load1(s, at + 35) != '-' || load1(s, at + 52) != '-')
		return 0;
	/* Two digits: the other six are padded with zeros. */
	if (!hex8((w & 0xffff) | 0x3030303030300000ull, &version) ||
	    !hex8((load8(s, at + 53) & 0xffff) | 0x3030303030300000ull, &flags))
		return 0;
	if (version == 0xff || (version == 0 && n != 55) || (n > 55 && load1(s, at + 55) != '-'))
		return 0;
	for (int i = 0; i < 4; i++)
		if (!hex8(load8(s, at + 3 + i * 8), &t[i]))
			return 0;
	for (int i = 0; i < 2; i++)
		if (!hex8(load8(s, at + 36 + i * 8), &p[i]))
			return 0;
	if (!(t[0] | t[1] | t[2] | t[3]) || !(p[0] | p[1]))
		return 0;
	__builtin_memcpy(slot->record.hdr_trace_id, t, 16);
	__builtin_memcpy(slot->record.hdr_span_id, p, 8);
	slot->record.flags |= VOR_HTTP_TRACEPARENT | (flags & 1 ? VOR_HTTP_SAMPLED_FLAG : 0);
	return 1;
}

INLINE void host(struct scratch *s, struct half *half, struct slot *slot, __u32 at, __u32 end)
{
	if (half->flags & HEAD_HOST)
		return;
	half->flags |= HEAD_HOST;
	__u64 n = end - at, from = at, to = slot->record.target_len;
	if (n > VOR_HOST_MAX) {
		n = VOR_HOST_MAX;
		slot->record.flags |= VOR_HTTP_HOST_TRUNCATED;
	}
	BOUND(n, 127);
	BOUND(from, 2047);
	BOUND(to, 511);
	if (n > VOR_HOST_MAX || to > VOR_TARGET_MAX)
		return;
	if (n <= HOST_SHORT)
		for (int i = 0; i < HOST_SHORT; i += 8)
			*(__u64 *)(slot->text + to + i) = load8(s, from + i);
	else
		bpf_probe_read_kernel(slot->text + to, n, s->buffer + from);
	slot->record.host_len = n;
}

/* A header line: looked at only if its first bytes are those of a name we need. */
INLINE int header_line(struct work *w, struct half *half, __u32 line, __u32 n)
{
	struct scratch *s = w->s;
	__u64 a = load8(s, line);
	__u8 first = a & 0xff;
	if (first == ' ' || first == '\t') {
		/* A folded line continues the value before it: framing must not depend on it, ids neither. */
		if (half->flags & HEAD_LAST_FRAMING)
			return ROUND_MALFORMED;
		if (half->flags & HEAD_LAST_TRACEPARENT)
			half->flags |= HEAD_TRACEPARENT_BAD;
		return ROUND_ON;
	}
	half->flags &= ~(HEAD_LAST_FRAMING | HEAD_LAST_TRACEPARENT);
	__u32 end = line + n;
	a |= LOWER;
	if (a == WORD('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		__u64 b = load8(s, line + 8);
		if (n < 15 || ((b | LOWER) & 0x0000ffffffffffffull) != WORD('l', 'e', 'n', 'g', 't', 'h', 0, 0))
			return ROUND_ON;
		__u8 after = b >> 48;
		if (after == ' ' || after == '\t')
			return ROUND_MALFORMED;
		if (after != ':')
			return ROUND_ON;
		struct span v = value_of(s, line + 15, end);
		return content_length(s, half, v.at, v.end);
	}
	if (a == WORD('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		if (n < 18 || (load8(s, line + 8) | LOWER) != WORD('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n') ||
		    (load1(s, line + 16) | 0x20) != 'g')
			return ROUND_ON;
		__u8 after = load1(s, line + 17);
		if (after == ' ' || after == '\t')
			return ROUND_MALFORMED;
		if (after != ':')
			return ROUND_ON;
		struct span v = value_of(s, line + 18, end);
		transfer_encoding(s, half, v.at, v.end);
		return ROUND_ON;
	}
	if (!s->request || !(half->flags & HEAD_SLOT))
		return ROUND_ON;
	struct slot *slot = slot_at(w->h, half->index);
	if ((a & 0x000000ffffffffffull) == WORD('h', 'o', 's', 't', ':', 0, 0, 0)) {
		struct span v = value_of(s, line + 5, end);
		host(s, half, slot, v.at, v.end);
		return ROUND_ON;
	}
	if (a == WORD('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') && n > 12 &&
	    ((load8(s, line + 8) | LOWER) & 0xffffffffull) == WORD('e', 'n', 't', ':', 0, 0, 0, 0)) {
		half->flags |= HEAD_LAST_TRACEPARENT;
		struct span v = value_of(s, line + 12, end);
		if ((half->flags & HEAD_TRACEPARENT) || !traceparent(s, slot, v.at, v.end))
			half->flags |= HEAD_TRACEPARENT_BAD;
		half->flags |= HEAD_TRACEPARENT;
	}
	return ROUND_ON;
}

/* ---- the end of a head ---- */

INLINE int request_head(struct work *w, struct half *half)
{
	struct http1 *h = w->h;
	struct scratch *s = w->s;
	__u32 index = half->index, behind = h->response_next;
	if (h->response.state == HALF_INEXACT && h->response.index + 1 == index) {
		exchange_inexact(h, slot_at(h, index - 1));
		behind = index; /* its response is over: we are not pipelined */
	}
	if (half->flags & HEAD_CODING) {
		if (!(half->flags & HEAD_CHUNKED))
			return ROUND_MALFORMED;
	}
	if (!h->counted) {
		h->counted = 1;
		count(VOR_COUNT_CONN_HTTP1);
	}
	count(VOR_COUNT_STARTED);
	bool body = (half->flags & HEAD_CHUNKED) || (!(half->flags & HEAD_CODING) && half->length);
	/* A response that waited for the rest of the request before: that never came, this one is there. */
	if (h->early_done && (__s32)(h->early.index - index) < 0)
		exchange_early(h, slot_at(h, h->early.index));
	if (half->flags & HEAD_SLOT) {
		struct slot *slot = slot_at(h, index);
		if (half->flags & HEAD_TRACEPARENT_BAD)
			slot->record.flags &= ~(VOR_HTTP_TRACEPARENT | VOR_HTTP_SAMPLED_FLAG);
		exchange_opened(w->c, h, s, slot);
		if ((__s32)(index - behind) > 0) {
			slot->record.flags |= VOR_HTTP_PIPELINED;
			for (int i = 0; i < SLOTS; i++)
				if (h->slots[i].state & SLOT_REQUEST)
					h->slots[i].record.flags |= VOR_HTTP_PIPELINED;
		}
		/* Not before this operation's last byte: another CPU may be at the response already. */
		half->flags |= HEAD_UNTOLD;
	} else {
		h->request_next = index + 1;
		count(VOR_COUNT_DROPPED_PIPELINE);
		w->c->announced.valid = 0;
		if (h->early_done && h->early.index == index)
			h->early_done = 0;
	}
	half->carry_length = 0;
	if (!body) {
		request_end(w, half);
	} else if (half->flags & HEAD_CHUNKED) {
		half->state = HALF_CHUNK_SIZE;
		half->left = 0;
	} else {
		half->state = HALF_LENGTH;
		half->left = half->length;
	}
	return ROUND_ON;
}

/* HEAD or CONNECT, whose responses have no body whatever they say; else OTHER. The request's hook may not have run yet:
 * then its announcement knows. Where there is none either, a HEAD is found out later (head_late). */
INLINE __u32 request_method(struct conn *c, struct http1 *h, __u32 index)
{
	__u64 bit = 1ull << (index & 63);
	bool announced = *(volatile __u8 *)&c->announced.valid;
	__u32 method = c->announced.method;
	if ((__s32)(*(volatile __u32 *)&h->methods_next - index) <= 0)
		return announced ? method : VOR_METHOD_OTHER;
	return h->head_methods & bit ? VOR_METHOD_HEAD : h->connect_methods & bit ? VOR_METHOD_CONNECT : VOR_METHOD_OTHER;
}

INLINE int response_head(struct work *w, struct half *half)
{
	struct http1 *h = w->h;
	__u32 index = half->index, status = half->status;
	struct slot *slot = slot_at(h, index);
	bool slotted = (slot->state & SLOT_REQUEST) && slot->index == index;
	__u32 next = h->request_next;
	if (!slotted) {
		/* The request's hook may run this very moment, and writes them in the other order. */
		loads_in_order(&h->early_done);
		slot = slot_at(h, index);
		slotted = (*(volatile __u32 *)&slot->state & SLOT_REQUEST) && slot->index == index;
	}
	if (status < 200 && status != 101) {
		if (slotted && slot->record.informational < 255)
			slot->record.informational++;
		half_next(half);
		return ROUND_ON;
	}
	__u32 flags = VOR_HTTP_RESPONSE_SEEN;
	if (slotted) {
		half->flags |= HEAD_SLOT;
		slot->record.status = status;
		slot->record.response_ns = half->start_ns;
		slot->response_flags = flags;
	} else if (next == index && h->request_dir == DIR_RECV) {
		/* A server that speaks unasked (408 before it closes): what it has not read it has not answered. */
		half->flags |= HEAD_UNASKED;
	} else if (next == index) {
		/* No request is open: either its hook has not run yet on another CPU (then this ends up in `early`), or the
		 * peer speaks unasked. */
		h->early.index = index;
		h->early.status = status;
		h->early.response_ns = half->start_ns;
		half->flags |= HEAD_EARLY;
		/* Either we see the request's method now, or its hook sees this flag. */
		loads_in_order(&h->early_done);
	} else if ((__s32)(index - next) > 0) {
		return ROUND_MALFORMED;
	}
	__u32 method = request_method(w->c, h, index);
	half->carry_length = 0;
	if (status == 101 || (status < 300 && method == VOR_METHOD_CONNECT)) {
		response_end(h, w->s, VOR_HTTP_RESPONSE_COMPLETE | VOR_HTTP_UPGRADED);
		return ROUND_UPGRADED;
	}
	if (method == VOR_METHOD_HEAD || status == 204 || status == 304) {
		response_end(h, w->s, VOR_HTTP_RESPONSE_COMPLETE);
	} else if (half->flags & HEAD_CHUNKED) {
		half->state = HALF_CHUNK_SIZE;
		half->left = 0;
	} else if ((half->flags & HEAD_LENGTH) && !(half->flags & HEAD_CODING)) {
		half->state = HALF_LENGTH;
		half->left = half->length;
		if (!half->left)
			response_end(h, w->s, VOR_HTTP_RESPONSE_COMPLETE);
	} else {
		half->state = HALF_CLOSE;
	}
	return ROUND_ON;
}

INLINE void message_end(struct work *w, struct half *half)
{
	if (w->s->request)
		request_end(w, half);
	else
		response_end(w->h, w->s, VOR_HTTP_RESPONSE_COMPLETE);
}

/* ---- lines ---- */

/* The line that started at s->line ends with the line feed at `feed`. */
ALONE int line_end(struct conn *c, struct http1 *h, struct scratch *s, __u32 feed)
{
	if (!c || !h || !s)
		return ROUND_MALFORMED;
	struct work on = {.c = c, .h = h, .s = s}, *w = &on;
	struct half *half = half_of(w);
	__u32 line = s->line, raw = feed - line, n = raw, text;
	__u32 room = s->request ? REQUEST_CARRY : RESPONSE_CARRY;
	s->line = feed + 1;
	bool cut = raw > room || (half->flags & HEAD_LONG);
	half->flags &= ~HEAD_LONG;
	if (n && load1(s, feed - 1) == '\r')
		n--;
	if (n == 0) {
		if (half->state == HALF_FIRST_LINE) {
			/* Empty lines before a message are allowed; the message starts after them. */
			message_starts(c, s, half, s->offset + (feed + 1 - s->carried));
			return ROUND_ON;
		}
		s->stop = feed + 1;
		if (half->state == HALF_TRAILER) {
			message_end(w, half);
			return ROUND_ON;
		}
		return s->request ? request_head(w, half) : response_head(w, half);
	}
	if (half->state == HALF_TRAILER)
		return ROUND_ON;
	text = cut ? room - LINE_TAIL : n;
	if (half->state == HALF_FIRST_LINE) {
		half->state = HALF_HEADERS;
		half->flags = 0;
		half->body = 0;
		half->length = 0;
		return s->request ? request_line(w, half, line, n, text) : status_line(w, half, line, n);
	}
	return header_line(w, half, line, text);
}

/* Whether header_line looks at a line that begins so: content-l…, host:, tracepar… and transfer…, or blank (folded). */
INLINE bool line_matters(struct scratch *s, __u32 line)
{
	__u64 a = load8(s, line);
	__u32 first = a & 0xff;
	if (first == ' ' || first == '\t')
		return true;
	a |= LOWER;
	if (a == WORD('c', 'o', 'n', 't', 'e', 'n', 't', '-'))
		return (load1(s, line + 8) | 0x20) == 'l';
	return (a & 0x000000ffffffffffull) == WORD('h', 'o', 's', 't', ':', 0, 0, 0) ||
	       a == WORD('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') || a == WORD('t', 'r', 'a', 'n', 's', 'f', 'e', 'r');
}

/* One step of the search for line ends: 24 bytes without one, or up to the next one. What lies beyond the end is from
 * earlier operations; a line feed found there is none. */
static long scan_step(__u32 i, struct work *w)
{
	struct scratch *s = w->s;
	__u32 at = s->scan;
	if (at >= s->end)
		return 1;
	__u64 x = load8(s, at) ^ 0x0a0a0a0a0a0a0a0aull;
	__u64 found = ~(((x & 0x7f7f7f7f7f7f7f7full) + 0x7f7f7f7f7f7f7f7full) | x | 0x7f7f7f7f7f7f7f7full);
	if (!found) {
		/* Lines are longer than eight bytes: two more words in the same step, for less stepping. */
		at += 8;
		x = load8(s, at) ^ 0x0a0a0a0a0a0a0a0aull;
		found = ~(((x & 0x7f7f7f7f7f7f7f7full) + 0x7f7f7f7f7f7f7f7full) | x | 0x7f7f7f7f7f7f7f7full);
	}
	if (!found) {
		at += 8;
		x = load8(s, at) ^ 0x0a0a0a0a0a0a0a0aull;
		found = ~(((x & 0x7f7f7f7f7f7f7f7full) + 0x7f7f7f7f7f7f7f7full) | x | 0x7f7f7f7f7f7f7f7full);
	}
	if (!found) {
		s->scan = at + 8;
		return 0;
	}
	if (!(found & 0xffffffffull)) {
		at += 4;
		found >>= 32;
	}
	if (!(found & 0xffff)) {
		at += 2;
		found >>= 16;
	}
	if (!(found & 0xff))
		at++;
	if (at >= s->end)
		return 1;
	s->scan = at + 1;
	/* Most header lines are of no interest: passed over here. Not the empty one that ends the head. */
	struct half *half = half_of(w);
	if (half->state == HALF_HEADERS && s->line >= s->carried && at > s->line + 1 && !line_matters(s, s->line)) {
		half->flags &= ~(HEAD_LAST_FRAMING | HEAD_LAST_TRACEPARENT | HEAD_LONG);
		s->line = at + 1;
		return 0;
	}
#ifdef VOR_OLD
	s->feed = at; /* looked at when the loop is over: verified once */
	return 1;
#else
	s->result = line_end(w->c, w->h, s, at);
	return s->result || s->stop;
#endif
}

INLINE void keep_line(struct work *w, struct half *half)
{
	struct scratch *s = w->s;
	__u64 n = s->end - s->line, from = s->line;
	__u32 room = s->request ? REQUEST_CARRY : RESPONSE_CARRY;
	BOUND(from, 2047);
	if (n > room) {
		__u64 tail = s->end - LINE_TAIL;
		BOUND(tail, 2047);
		half->flags |= HEAD_LONG;
		half->carry_length = room;
		if (s->request) {
			bpf_probe_read_kernel(w->h->request_carry, REQUEST_CARRY - LINE_TAIL, s->buffer + from);
			bpf_probe_read_kernel(w->h->request_carry + REQUEST_CARRY - LINE_TAIL, LINE_TAIL, s->buffer + tail);
		} else {
			bpf_probe_read_kernel(w->h->response_carry, RESPONSE_CARRY - LINE_TAIL, s->buffer + from);
			bpf_probe_read_kernel(w->h->response_carry + RESPONSE_CARRY - LINE_TAIL, LINE_TAIL, s->buffer + tail);
		}
		return;
	}
	half->carry_length = n;
	if (s->request) {
		BOUND(n, 1023);
		if (n <= REQUEST_CARRY)
			bpf_probe_read_kernel(w->h->request_carry, n, s->buffer + from);
	} else {
		BOUND(n, 255);
		if (n <= RESPONSE_CARRY)
			bpf_probe_read_kernel(w->h->response_carry, n, s->buffer + from);
	}
}

/* The bytes of one window: the carried line, then what comes. Everything goes through the scratch entry, so that a verifier
 * that walks each part by itself (VOR_OLD) finds the same state behind every way through it. */
PART int window_read(struct work *w)
{
	struct scratch *s = w->s;
	struct half *half = half_of(w);
	__u64 carried = half->carry_length;
	s->carried = carried;
	s->line = 0;
	s->stop = 0;
	s->result = ROUND_ON;
	/* The carry holds no line feed, but for empty lines before the first request of a connection. */
	s->scan = half->state == HALF_FIRST_LINE ? 0 : carried;
	if (carried) {
		if (s->request) {
			BOUND(carried, 1023);
			if (carried <= REQUEST_CARRY)
				bpf_probe_read_kernel(s->buffer, carried, w->h->request_carry);
		} else {
			BOUND(carried, 255);
			if (carried <= RESPONSE_CARRY)
				bpf_probe_read_kernel(s->buffer, carried, w->h->response_carry);
		}
	} else if (half->state == HALF_FIRST_LINE) {
		message_starts(w->c, s, half, s->offset);
	}
	return 0;
}

PART int window_scan(struct work *w)
{
#ifdef VOR_OLD
	w->s->feed = NO_FEED;
#endif
	REPEAT(SCAN_STEPS, scan_step, w);
	return 0;
}

PART int window_end(struct work *w)
{
	struct scratch *s = w->s;
	struct half *half = half_of(w);
	if (s->result)
		return s->result;
	if (!s->stop && s->scan < s->end)
		s->stop = s->line; /* more lines than steps: go on from the current one */
	if (s->stop) {
		s->offset += s->stop - s->carried;
		if (half->state != HALF_FIRST_LINE)
			half->carry_length = 0;
		return ROUND_ON;
	}
	s->offset += s->end - s->carried;
	keep_line(w, half);
	return ROUND_ON;
}

/* One window of up to 1 KiB of lines: head or trailer. */
INLINE int window(struct work *w, struct half *half, __u32 rest)
{
	struct scratch *s = w->s;
	if (s->windows++ >= HEAD_WINDOWS_MAX)
		return ROUND_MALFORMED;
	window_read(w);
	__u32 n = MIN(rest, WINDOW);
	__u64 end = s->carried + n;
	BOUND(end, 2047);
	s->end = end;
	if (io_read(s, s->carried, s->offset, n) != n)
		return ROUND_FAULT;
	window_scan(w);
#ifdef VOR_OLD
	if (s->feed != NO_FEED) {
		s->result = line_end(w->c, w->h, s, s->feed);
		if (!s->stop)
			s->stop = s->line;
	}
#endif
	return window_end(w);
}

/* ---- chunked bodies ---- */

struct chunk_walk {
	struct half *half;
	struct scratch *s;
	__u32 n;
	__s32 result;
};

/* One byte of chunk framing. Stops where payload or a trailer begins. */
static long chunk_byte(__u32 i, struct chunk_walk *w)
{
	struct half *half = w->half;
	if (i >= w->n)
		return 1;
	__u8 byte = load1(w->s, i);
	w->s->used = i + 1;
	if (half->state == HALF_CHUNK_END) {
		if (byte == '\r')
			return 0;
		if (byte != '\n') {
			w->result = ROUND_MALFORMED;
			return 1;
		}
		half->state = HALF_CHUNK_SIZE;
		half->left = 0;
		half->flags &= ~HEAD_DIGITS;
		return 0;
	}
	if (half->state == HALF_CHUNK_SIZE) {
		__u32 digit = byte - '0', letter = (byte | 0x20) - 'a';
		if (digit > 9)
			digit = letter <= 5 ? letter + 10 : 16;
		if (digit < 16) {
			if (half->left >> 56)
				w->result = ROUND_MALFORMED;
			half->left = half->left << 4 | digit;
			half->flags |= HEAD_DIGITS;
			return w->result != ROUND_ON;
		}
		if (!(half->flags & HEAD_DIGITS) ||
		    (byte != ';' && byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n')) {
			w->result = ROUND_MALFORMED;
			return 1;
		}
		half->state = HALF_CHUNK_LINE;
	}
	if (byte != '\n')
		return 0;
	half->state = half->left ? HALF_CHUNK_DATA : HALF_TRAILER;
	half->carry_length = 0;
	half->flags &= ~(HEAD_LONG | HEAD_DIGITS);
	w->s->chunks++;
	return 1;
}

/* Walks up to 32 bytes of chunk framing. */
ALONE int chunk_framing(struct half *half, struct scratch *s, __u32 rest)
{
	if (!half || !s)
		return ROUND_FAULT;
	if (s->chunks >= CHUNKS_MAX) {
		half->state = HALF_INEXACT;
		return ROUND_ON;
	}
	struct chunk_walk w = {.half = half, .s = s, .n = MIN(rest, 32)};
	if (io_read(s, 0, s->offset, w.n) != w.n)
		return ROUND_FAULT;
	s->used = 0;
	REPEAT(32, chunk_byte, &w);
	s->offset += s->used;
	return w.result;
}

/* ---- one operation ---- */

#ifdef VOR_OLD
static __attribute__((noinline)) long http1_round(__u32 i, struct work *w);
#endif

static long http1_round(__u32 i, struct work *w)
{
	struct scratch *s = w->s;
	struct half *half = half_of(w);
	if (s->offset >= (__u32)s->io.ret)
		return 1;
	__u32 rest = (__u32)s->io.ret - s->offset;
	int result = ROUND_ON;
	/* More of it than rounds: long chunk extensions. */
	if (i == ROUNDS_MAX - 1 && half->state >= HALF_CHUNK_SIZE && half->state <= HALF_TRAILER)
		half->state = HALF_INEXACT;
	switch (half->state) {
	case HALF_FIRST_LINE:
	case HALF_HEADERS:
	case HALF_TRAILER:
		result = window(w, half, rest);
		break;
	case HALF_LENGTH:
	case HALF_CHUNK_DATA: {
		__u32 n = rest < half->left ? rest : half->left;
		half->left -= n;
		half->body += n;
		s->offset += n;
		if (!half->left) {
			if (half->state == HALF_CHUNK_DATA)
				half->state = HALF_CHUNK_END;
			else
				message_end(w, half);
		}
		break;
	}
	case HALF_CHUNK_SIZE:
	case HALF_CHUNK_LINE:
	case HALF_CHUNK_END:
		result = chunk_framing(half, s, rest);
		break;
	case HALF_CLOSE:
		half->body += rest;
		s->offset += rest;
		break;
	case HALF_INEXACT:
		half->body += rest;
		s->offset += rest;
		if (!s->request && (half->flags & HEAD_SLOT)) {
			struct slot *slot = slot_at(w->h, half->index);
			slot->end_ns = s->io.now;
			slot->record.response_body = half->body;
		}
		break;
	default:
		return 1;
	}
	s->outcome = result;
	return result != ROUND_ON;
}

#ifndef VOR_OLD
/* All bytes of the operation. Returns enum round_result. */
ALONE int http1_parse(struct conn *c, struct http1 *h, struct scratch *s)
{
	if (!c || !h || !s)
		return ROUND_MALFORMED;
	s->offset = 0;
	s->windows = 0;
	s->chunks = 0;
	s->outcome = ROUND_ON;
	struct work w = {.c = c, .h = h, .s = s};
	REPEAT(ROUNDS_MAX, http1_round, &w);
	return s->outcome;
}
#endif
