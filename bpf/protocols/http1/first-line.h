/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Request lines and status lines. */
#pragma once

#include "work.h"

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
	if ((__s32)(half->index - h->response_next) >= OUTSTANDING_MAX)
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
