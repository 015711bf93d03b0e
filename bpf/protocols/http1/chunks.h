/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Chunked bodies: from chunk header to chunk header. */
#pragma once

#include "work.h"

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
