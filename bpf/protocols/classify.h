/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What the first bytes of a message say about the protocol. */
#pragma once

#include "../include/state.h"
#include "http1.h"

enum guess {
	GUESS_MORE = 0,      /* consistent with something, too short to say */
	GUESS_REQUEST = 1,
	GUESS_RESPONSE = 2,
	GUESS_TLS = 3,
	GUESS_HTTP2 = 4,
	GUESS_PROXY = 5,     /* a load balancer's header, which the first request of the connection follows */
	GUESS_OTHER = 6,
};

/* Number of capital letters from `at` on, at most CLASSIFY_BYTES. */
#ifndef VOR_OLD
ALONE int capitals(struct scratch *s, __u32 at)
{
	if (!s)
		return 0;
	for (int i = 0; i < CLASSIFY_BYTES; i++)
		if ((__u32)load1(s, at + i) - 'A' > 'Z' - 'A')
			return i;
	return CLASSIFY_BYTES;
}
#endif

/* Number of CR and LF at the start, at most 4. */
#ifndef VOR_OLD
ALONE int empty_lines(struct scratch *s)
{
	if (!s)
		return 0;
	for (int i = 0; i < 4; i++) {
		__u32 byte = load1(s, i), other = (byte ^ '\r') * (byte ^ '\n');
		OPAQUE(other);
		if (other)
			return i;
	}
	return 4;
}
#endif

/* Of either version (haproxy.org, proxy-protocol.txt, 2.1 and 2.2). */
INLINE bool proxy_header(__u64 w)
{
	return (w & 0x0000ffffffffffffull) == WORD('P', 'R', 'O', 'X', 'Y', ' ', 0, 0) ||
	       w == WORD('\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q');
}

/* What `n` bytes at s->buffer + at say; zeros follow them. */
INLINE int classify_at(struct scratch *s, __u32 at, __u32 n)
{
	__u64 w = load8(s, at);
	__u8 first = w & 0xff;
	__u32 length;
	if (n >= 8) {
		if (w == WORD('P', 'R', 'I', ' ', '*', ' ', 'H', 'T'))
			return GUESS_HTTP2;
		if ((w & 0x00ffffffffffffffull) == WORD('H', 'T', 'T', 'P', '/', '1', '.', 0))
			return GUESS_RESPONSE;
		known_method(w, &length);
		if (length)
			return GUESS_REQUEST;
	}
	/* A TLS record: type 20 to 23, version 3.0 to 3.4, length within the limit. */
	if (first >= 0x14 && first <= 0x17) {
		if (n < 5)
			return (n < 2 || (w >> 8 & 0xff) == 3) && (n < 3 || (w >> 16 & 0xff) <= 4) ? GUESS_MORE : GUESS_OTHER;
		__u32 size = (w >> 24 & 0xff) << 8 | (w >> 32 & 0xff);
		return (w >> 8 & 0xff) == 3 && (w >> 16 & 0xff) <= 4 && size && size <= 16384 + 2048 ? GUESS_TLS : GUESS_OTHER;
	}
	/* A method we do not know, or the beginning of one: capitals, a space, the start of a target. */
	__u32 i = capitals(s, at);
	if (i >= n)
		return GUESS_MORE;
	__u8 byte = load1(s, at + i);
	if (i == 4 && byte == '/') /* "HTTP/": a response cut short */
		return n < 8 && (__u32)w == 0x50545448 ? GUESS_MORE : GUESS_OTHER;
	if (byte != ' ' || i < 3)
		return GUESS_OTHER;
	if (i + 1 >= n || n < 8)
		return GUESS_MORE;
	byte = load1(s, at + i + 1);
	return byte == '/' || byte == 'h' || byte == '*' ? GUESS_REQUEST : GUESS_OTHER;
}

/* n <= CLASSIFY_BYTES bytes at the start of the scratch buffer, followed by zeros. Empty lines may precede a request. */
ALONE int classify(struct scratch *s, __u32 n)
{
	if (!s)
		return GUESS_OTHER;
	__u32 length;
	known_method(load8(s, 0), &length);
	if (n >= 8 && length)
		return GUESS_REQUEST;
	if (proxy_header(load8(s, 0)))
		return GUESS_PROXY;
	__u32 at = empty_lines(s);
	if (at >= n)
		return GUESS_MORE;
	return classify_at(s, at, n - at);
}
