/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Windows of lines: the search for line ends, and the piece of a line that is carried to the next operation. */
#pragma once

#include "line.h"

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

/* The high bit of every byte of eight that is a line feed. */
INLINE __u64 line_feeds(struct scratch *s, __u32 at)
{
	__u64 x = load8(s, at) ^ 0x0a0a0a0a0a0a0a0aull;
	return ~(((x & 0x7f7f7f7f7f7f7f7full) + 0x7f7f7f7f7f7f7f7full) | x | 0x7f7f7f7f7f7f7f7full);
}

/* Which byte the lowest of these bits is in: the one bit shifts the constant's byte of that number to the top. A branch for
 * each half would be mispredicted at every other line. */
INLINE __u32 first_byte(__u64 bits)
{
	return (((bits & -bits) >> 7) * 0x0001020304050607ull) >> 56;
}

/* Words looked at in one step: most lines are shorter. */
#define SCAN_WORDS 6

/* One step of the search for line ends: SCAN_WORDS without one, or up to the next one. What lies beyond the end is from
 * earlier operations; a line feed found there is none. */
static long scan_step(__u32 i, struct work *w)
{
	struct scratch *s = w->s;
	__u32 at = s->scan;
	if (at >= s->end)
		return 1;
	__u64 found = line_feeds(s, at);
#pragma unroll
	for (int word = 1; word < SCAN_WORDS; word++) {
		if (found)
			break;
		at += 8;
		found = line_feeds(s, at);
	}
	if (!found) {
		s->scan = at + 8;
		return 0;
	}
	at += first_byte(found);
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
