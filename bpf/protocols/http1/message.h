/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The end of a request and of a response, and who of the two sides ends the exchange when their hooks run in another order. */
#pragma once

#include "work.h"

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
