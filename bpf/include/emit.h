/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The end of an exchange: its record goes to the ring or, if there is no room, into the fallback map. */
#pragma once

#include "process.h"
#include "../maps/ring.h"
#include "../maps/red.h"

#ifdef VOR_OLD
#include "../maps/claims.h"
#else
#define FETCH_OR(pointer, bits) __sync_fetch_and_or(pointer, bits)

/* What is read after this was written before what is read before it, if another CPU wrote them in the other order. */
INLINE void loads_in_order(__u32 *any)
{
	__u32 was = FETCH_OR(any, 0);
	OPAQUE(was);
}

/* Sets bits that are not set, between the writes before and the reads after it. */
INLINE void set_bits(__u32 *word, __u32 bits)
{
	FETCH_OR(word, bits);
}

/* True for the one who ends an open exchange: by its response or by the connection's close. */
INLINE bool slot_own(struct slot *slot, __u32 bit)
{
	return __sync_val_compare_and_swap(&slot->state, SLOT_REQUEST, SLOT_REQUEST | bit) == SLOT_REQUEST;
}

INLINE void slot_free(struct slot *slot)
{
	slot->state = 0;
}
#endif

/* The caller owns the slot: it set the deciding bit. extra: flags known only now. */
ALONE int emit_slot(struct http1 *h, struct slot *slot, __u64 now, __u32 extra)
{
	if (!h || !slot)
		return 0;
	struct vor_http_record *record = &slot->record;
	record->flags |= slot->response_flags | extra;
	record->end_ns = slot->end_ns ? slot->end_ns : now;
	if (!(record->flags & VOR_HTTP_REQUEST_COMPLETE)) {
		if (h->request.index == slot->index)
			record->request_body = h->request.body;
		if (h->request.index == slot->index &&
		    (h->request.state == HALF_INEXACT || (h->request.state == HALF_LENGTH && !h->tcp_plain)))
			record->flags |= VOR_HTTP_SIZE_INEXACT;
		else if (record->flags & VOR_HTTP_RESPONSE_COMPLETE)
			record->flags |= VOR_HTTP_EARLY_RESPONSE;
	}
	record->local = h->local;
	record->remote = h->remote;
	record->netns = h->netns;
	record->sock = h->inode;
	record->peer_sock = h->peer_inode;
	record->family = h->family;
	record->role = h->request_dir == DIR_RECV ? VOR_ROLE_SERVER : VOR_ROLE_CLIENT;
	__u32 size = (sizeof(*record) + record->text_len + 7) & ~7u;
	record->header.kind = VOR_RECORD_HTTP1;
	record->header.size = size;
	record->header.cpu = bpf_get_smp_processor_id();
	BOUND(size, 1023);
	if (size > sizeof(*record) + SLOT_TEXT)
		size = sizeof(*record) + SLOT_TEXT;
	__u64 *emitted = counter_of(VOR_COUNT_EMITTED);
	if (!emitted)
		return 0;
	if (bpf_ringbuf_output(&vor_ring, record, size, ring_flags(now, *emitted)) == 0) {
		__sync_fetch_and_add(emitted, 1);
	} else {
		count(VOR_COUNT_DROPPED_RING_FULL);
		red_add(record);
	}
	slot_free(slot);
	return 0;
}
