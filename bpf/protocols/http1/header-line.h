/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Header lines: framing, host, traceparent. */
#pragma once

#include "work.h"

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

/* Up to eight digits at once: pairs, fours, eights. */
INLINE int short_length(struct half *half, __u64 text, __u32 digits)
{
	__u64 t = (text ^ 0x3030303030303030ull) << (64 - 8 * digits);
	if ((t | (t + 0x7676767676767676ull)) & 0x8080808080808080ull)
		return ROUND_MALFORMED;
	t = t * 2561 >> 8 & 0x00ff00ff00ff00ffull;
	t = t * 6553601 >> 16 & 0x0000ffff0000ffffull;
	half->length = t * 42949672960001ull >> 32;
	half->flags |= HEAD_LENGTH | HEAD_LAST_FRAMING;
	return ROUND_ON;
}

#ifndef VOR_OLD
ALONE int content_length(struct scratch *s, struct half *half, __u32 at, __u32 end)
{
	__u64 value = 0;
	if (!s || !half || end - at > 18 || end == at || (half->flags & HEAD_LENGTH))
		return ROUND_MALFORMED;
	if (end - at <= 8)
		return short_length(half, load8(s, at), end - at);
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
