/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The empty line after a head: what the message is, and what follows it. */
#pragma once

#include "message.h"
#include "header-line.h"

INLINE int request_head(struct work *w, struct half *half)
{
	struct http1 *h = w->h;
	struct scratch *s = w->s;
	__u32 index = half->index, behind = h->response_next;
	if (h->response.state == HALF_INEXACT && h->response.index + 1 == index) {
		exchange_inexact(h, slot_at(h, index - 1));
		behind = index; /* its response is over: we are not pipelined */
	}
	if ((h->response.flags & HEAD_EARLY) && h->head_late && h->head_late == h->response.index + 1)
		behind = h->head_late; /* its response has ended, only that is not in the state yet */
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
