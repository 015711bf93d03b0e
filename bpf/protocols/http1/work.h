/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What all parts of the HTTP/1 parser share: limits, results, reading from the window. */
#pragma once

#include "../../include/emit.h"
#include "../../include/exchange.h"
#include "../../maps/scratch.h"

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
