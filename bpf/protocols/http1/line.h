/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* One line of a head or trailer, whole in the buffer. */
#pragma once

#include "first-line.h"
#include "header-line.h"
#include "head.h"

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
