/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* One operation, round by round. */
#pragma once

#include "window.h"
#include "chunks.h"

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
