/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The life of one exchange beside its bytes: identity, ids and evidence when the request head is complete, and what has
 * to be given back when it ends, however it ends. */
#pragma once

#include "emit.h"
#include "../maps/scratch.h"

INLINE void random_bytes8(__u8 *to)
{
	__u32 words[2] = {bpf_get_prandom_u32(), bpf_get_prandom_u32()};
	if (!(words[0] | words[1]))
		words[0] = 1; /* all zero is not an id */
	__builtin_memcpy(to, words, 8);
}

/* Gives back what an open exchange holds. The caller owns the slot. */
INLINE void exchange_closed(struct http1 *h, struct slot *slot)
{
}

/* The request head is complete. Runs before SLOT_REQUEST is set. */
INLINE void exchange_opened(struct conn *c, struct http1 *h, struct scratch *s, struct half *half, struct slot *slot)
{
	struct vor_http_record *record = &slot->record;
	struct task_struct *task = bpf_get_current_task_btf();
	process_key(&record->process, task);
	record->tid = s->io.tid;
	record->start_ns = half->start_ns;
	__u64 to = record->target_len + record->host_len, n = record->method_len;
	BOUND(to, 511);
	BOUND(n, 31);
	if (n && n <= VOR_METHOD_MAX && to <= VOR_TARGET_MAX + VOR_HOST_MAX)
		bpf_probe_read_kernel(slot->text + to, n, slot->method_text);
	record->text_len = to + n;
	if (h->request_dir == DIR_RECV && (record->flags & VOR_HTTP_TRACEPARENT)) {
		__builtin_memcpy(record->trace_id, record->hdr_trace_id, 16);
		__builtin_memcpy(record->parent_span_id, record->hdr_span_id, 8);
		record->evidence = VOR_EVIDENCE_HEADER;
	} else {
		random_bytes8(record->trace_id);
		random_bytes8(record->trace_id + 8);
		record->flags |= VOR_HTTP_SAMPLED_FLAG;
	}
	random_bytes8(record->span_id);
}

/* The response ended before the request's hook had run; both are there now. Either side may come here. */
INLINE void exchange_early(struct http1 *h, struct slot *slot)
{
	__u32 old = FETCH_OR(&slot->state, SLOT_RESPONSE);
	if ((old & (SLOT_REQUEST | SLOT_RESPONSE | SLOT_CLOSED)) != SLOT_REQUEST)
		return;
	slot->record.status = h->early.status;
	slot->record.response_ns = h->early.response_ns;
	slot->record.response_body = h->early.body;
	slot->response_flags = h->early.flags;
	slot->end_ns = h->early.end_ns;
	h->early_done = 0;
	exchange_closed(h, slot);
	emit_slot(h, slot, h->early.end_ns, 0);
}

/* Ends every open exchange of a connection. counter: VOR_COUNT_MAX = emit with `flags`, else drop under that reason. */
ALONE int exchanges_finish(struct http1 *h, __u64 now, __u32 flags, __u32 counter)
{
	if (!h)
		return 0;
	for (int i = 0; i < SLOTS; i++) {
		struct slot *slot = &h->slots[i];
		__u32 old = FETCH_OR(&slot->state, SLOT_CLOSED);
		if ((old & (SLOT_REQUEST | SLOT_RESPONSE | SLOT_CLOSED)) != SLOT_REQUEST) {
			if (!old)
				slot->state = 0;
			continue;
		}
		exchange_closed(h, slot);
		if (counter < VOR_COUNT_MAX) {
			count(counter);
			slot->state = 0;
			continue;
		}
		__u32 extra = flags;
		if (slot->index == h->response.index && (slot->response_flags & VOR_HTTP_RESPONSE_SEEN)) {
			slot->record.response_body = h->response.body;
			if (h->response.state == HALF_INEXACT)
				extra |= VOR_HTTP_SIZE_INEXACT;
			if (h->response.state == HALF_CLOSE && !(flags & VOR_HTTP_PEER_RESET))
				extra |= VOR_HTTP_RESPONSE_COMPLETE;
		}
		emit_slot(h, slot, now, extra);
	}
	return 0;
}
