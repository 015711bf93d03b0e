/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The life of one exchange beside its bytes: identity, ids and evidence when the request head is complete, and what has
 * to be given back when it ends, however it ends. */
#pragma once

#include "emit.h"
#include "evidence.h"
#include "../maps/scratch.h"

/* Eight random bytes: splitmix64 from a random start of this program and CPU. A start is random in all 64 bits, so two
 * sequences of any length we can live to see do not meet; not one call per four bytes into the kernel's generator. */
INLINE void random_bytes8(struct scratch *s, __u8 *to)
{
	__u64 state = s->random, z;
	if (!state)
		state = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	state += 0x9e3779b97f4a7c15ull;
	s->random = state;
	z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	if (!z)
		z = 1; /* all zero is not an id */
	*(__u64 *)to = z;
}

INLINE void ids_of(struct ids *ids, const struct vor_http_record *record)
{
	__builtin_memcpy(ids->trace_id, record->trace_id, 16);
	__builtin_memcpy(ids->span_id, record->span_id, 8);
	ids->sampled = !!(record->flags & VOR_HTTP_SAMPLED_FLAG);
	ids->_pad = 0;
}

/* Where the exchange of this index is, if it has a slot. */
INLINE struct slot *slot_at(struct http1 *h, __u32 index)
{
	__u64 i = index - *(volatile __u32 *)&h->slot_base;
	BOUND(i, SLOTS - 1);
	return &h->slots[i];
}

/* Gives back what an open exchange holds. The caller owns the slot. */
ALONE int exchange_closed(struct http1 *h, struct slot *slot)
{
	if (!h || !slot)
		return 0;
	struct vor_http_record *record = &slot->record;
	if (h->request_dir == DIR_SEND) {
		/* Not taken by a server on this host as far as we can tell: user space may know better. */
		if (slot->published && !join_taken(h->join_ends, record->join_seq))
			record->flags |= VOR_HTTP_JOIN_KEY;
		return 0;
	}
	open_count(record->process.tgid, slot->nonblocking, (__u32)-1);
	if (slot->owner_tid)
		thread_closed(slot->owner_tid);
	if (slot->fd >= 0) {
		/* Pipelined: the next request is the oldest now. */
		struct slot *after = slot_at(h, slot->index + 1);
		bool pipelined = after->index == slot->index + 1 && (after->state & SLOT_REQUEST) && after->fd == slot->fd;
		struct ids ids;
		ids_of(&ids, &after->record);
		nginx_closed(record->process.tgid, slot->fd, h->inode, pipelined ? &ids : NULL);
	}
	return 0;
}

/* A request read from a client: its ids come from the same-host client, from its header, or from nobody. */
INLINE void server_opened(struct conn *c, struct http1 *h, struct scratch *s, struct slot *slot)
{
	struct vor_http_record *record = &slot->record;
	struct ids *client = NULL;
	if (c->tcp_plain && join_take(h->join_ends, record->join_seq, &s->t.joined))
		client = &s->t.joined.ids;
	if (record->flags & VOR_HTTP_TRACEPARENT) {
		__builtin_memcpy(record->trace_id, record->hdr_trace_id, 16);
		__builtin_memcpy(record->parent_span_id, record->hdr_span_id, 8);
		record->evidence = VOR_EVIDENCE_HEADER;
		__u64 *a = (__u64 *)record->trace_id, *b = client ? (__u64 *)client->trace_id : a;
		if (client && a[0] == b[0] && a[1] == b[1]) {
			__builtin_memcpy(record->parent_span_id, client->span_id, 8);
			record->evidence = VOR_EVIDENCE_SAME_HOST;
			record->flags |= VOR_HTTP_JOINED | VOR_HTTP_REFUSED_HEADER_SAME_TRACE;
		}
	} else if (client) {
		__builtin_memcpy(record->trace_id, client->trace_id, 16);
		__builtin_memcpy(record->parent_span_id, client->span_id, 8);
		record->evidence = VOR_EVIDENCE_SAME_HOST;
		record->flags |= VOR_HTTP_JOINED | (client->sampled ? VOR_HTTP_SAMPLED_FLAG : 0);
	} else {
		random_bytes8(s, record->trace_id);
		random_bytes8(s, record->trace_id + 8);
		record->flags |= VOR_HTTP_SAMPLED_FLAG;
	}
	if (record->flags & VOR_HTTP_JOINED)
		record->peer_process = s->t.joined.process;
	else if (!client && c->tcp_plain)
		record->flags |= VOR_HTTP_JOIN_KEY;
	random_bytes8(s, record->span_id);

	struct ids *ids = &s->t.ids;
	ids_of(ids, record);
	slot->nonblocking = s->nonblocking;
	open_count(record->process.tgid, s->nonblocking, 1);
	if (!s->nonblocking)
		thread_opened(slot, s->io.tid, ids);
	if ((c->selection & SELECTION_NGINX) && s->io.fd >= 0) {
		slot->fd = s->io.fd;
		h->nginx_tgid = record->process.tgid;
		h->nginx_fd = s->io.fd;
		nginx_opened(record->process.tgid, s->io.fd, h->inode, ids);
	}
}

/* Decides the ids of a client request that starts now. */
INLINE void announce(struct conn *c, struct scratch *s, __u32 seq)
{
	struct announced *a = &c->announced;
	struct parent *parent = &s->t.parent;
	find_parent(parent, s->io.tgid, s->io.tid, s->io.fd, c->selection & SELECTION_NGINX);
	a->evidence = parent->evidence;
	a->absent = parent->absent;
	a->seq = seq;
	a->tid = s->io.tid;
	a->ns = s->io.now;
	a->method = VOR_METHOD_OTHER;
	a->published = 0;
	if (parent->evidence) {
		__builtin_memcpy(a->trace_id, parent->ids.trace_id, 16);
		__builtin_memcpy(a->parent, parent->ids.span_id, 8);
		a->sampled = parent->ids.sampled;
	} else {
		random_bytes8(s, a->trace_id);
		random_bytes8(s, a->trace_id + 8);
		__builtin_memset(a->parent, 0, 8);
		a->sampled = 1;
	}
	random_bytes8(s, a->span_id);
	a->valid = 1;
}

INLINE void client_opened(struct conn *c, struct http1 *h, struct scratch *s, struct slot *slot)
{
	struct vor_http_record *record = &slot->record;
	struct announced *a = &c->announced;
	/* The same send (its thread is still in it), or the send that began this request. */
	if (!a->valid || (a->seq != record->join_seq && a->tid != s->io.tid))
		announce(c, s, record->join_seq);
	a->valid = 0;
	record->start_ns = MIN(record->start_ns, a->ns);
	record->join_seq = a->seq;
	__builtin_memcpy(record->trace_id, a->trace_id, 16);
	__builtin_memcpy(record->span_id, a->span_id, 8);
	__builtin_memcpy(record->parent_span_id, a->parent, 8);
	record->evidence = a->evidence;
	record->absent = a->absent;
	slot->published = a->published;
	if (a->published)
		record->flags |= VOR_HTTP_IDS_PUBLISHED;
	else if (c->tcp_plain)
		record->flags |= VOR_HTTP_JOIN_KEY;
	if (record->flags & VOR_HTTP_TRACEPARENT) {
		/* The request names a parent itself: ours only if it is in the same trace. */
		__u64 *mine = (__u64 *)record->trace_id, *header = (__u64 *)record->hdr_trace_id;
		if (a->evidence && mine[0] == header[0] && mine[1] == header[1])
			return;
		__builtin_memcpy(record->trace_id, record->hdr_trace_id, 16);
		__builtin_memcpy(record->parent_span_id, record->hdr_span_id, 8);
		record->evidence = VOR_EVIDENCE_HEADER;
		record->absent = VOR_ABSENT_NOT_APPLICABLE;
		return;
	}
	if (a->sampled)
		record->flags |= VOR_HTTP_SAMPLED_FLAG;
}

/* The request head is complete. Runs before SLOT_REQUEST is set. */
ALONE int exchange_opened(struct conn *c, struct http1 *h, struct scratch *s, struct slot *slot)
{
	if (!c || !h || !s || !slot)
		return 0;
	struct half *half = &h->request;
	struct vor_http_record *record = &slot->record;
	process_key(&record->process, CURRENT());
	record->tid = s->io.tid;
	record->start_ns = half->start_ns;
	record->arrival_ns = half->arrival_ns;
	record->join_seq = half->start_seq;
	__u64 to = record->target_len + record->host_len, n = record->method_len;
	BOUND(to, 511);
	BOUND(n, 31);
	if (n && n <= VOR_METHOD_MAX && to <= VOR_TARGET_MAX + VOR_HOST_MAX)
		bpf_probe_read_kernel(slot->text + to, n, slot->method_text);
	record->text_len = to + n;
	slot->owner_tid = 0;
	slot->published = 0;
	slot->fd = -1;
	if (h->request_dir == DIR_RECV)
		server_opened(c, h, s, slot);
	else
		client_opened(c, h, s, slot);
	return 0;
}

/* Takes what waits in `early` into the slot, which the caller owns. */
INLINE void early_taken(struct http1 *h, struct slot *slot)
{
	struct vor_http_record *record = &slot->record;
	record->status = h->early.status;
	record->response_ns = h->early.response_ns;
	record->response_body = h->early.body;
	slot->response_flags = h->early.flags;
	slot->end_ns = h->early.end_ns;
	/* Its hook ran late, and nothing it saw came after the response. */
	record->start_ns = MIN(record->start_ns, record->response_ns);
	if (record->flags & VOR_HTTP_REQUEST_COMPLETE)
		record->request_end_ns = MIN(record->request_end_ns, record->response_ns);
	h->early_done = 0;
}

/* The exchange whose response waits in `early` ends. */
INLINE void exchange_early(struct http1 *h, struct slot *slot)
{
	if (slot->index != h->early.index || !slot_own(slot, SLOT_RESPONSE))
		return;
	early_taken(h, slot);
	exchange_closed(h, slot);
	emit_slot(h, slot, slot->end_ns, 0);
}

/* The next request is there: the response whose end could not be told has ended with its last bytes. */
INLINE void exchange_inexact(struct http1 *h, struct slot *slot)
{
	if (!(slot->response_flags & VOR_HTTP_RESPONSE_SEEN))
		return;
	if (!slot_own(slot, SLOT_RESPONSE))
		return;
	slot->response_flags |= VOR_HTTP_RESPONSE_COMPLETE | VOR_HTTP_SIZE_INEXACT;
	exchange_closed(h, slot);
	emit_slot(h, slot, slot->end_ns, 0);
}

/* Ends every open exchange of a connection. counter: VOR_COUNT_MAX = emit with `flags`, else drop under that reason. */
ALONE int exchanges_finish(struct http1 *h, __u64 now, __u32 flags, __u32 counter)
{
	if (!h)
		return 0;
	for (int i = 0; i < SLOTS; i++) {
		struct slot *slot = &h->slots[i];
		/* Only what is open and nobody else's: a slot whose head is being read stays as it is. */
		if (!slot_own(slot, SLOT_CLOSED))
			continue;
		exchange_closed(h, slot);
		if (counter < VOR_COUNT_MAX) {
			count(counter);
			slot_free(slot);
			continue;
		}
		__u32 extra = flags;
		if (h->early_done && h->early.index == slot->index) {
			/* Answered whole, but the hook of the request's end never ran. */
			early_taken(h, slot);
			extra = 0;
		} else if (slot->index == h->response.index && h->head_late == slot->index + 1) {
			h->early.end_ns = h->early.response_ns;
			h->early.body = 0;
			h->early.flags = VOR_HTTP_RESPONSE_SEEN | VOR_HTTP_RESPONSE_COMPLETE;
			early_taken(h, slot);
			extra = 0;
		} else if (slot->index == h->response.index && (slot->response_flags & VOR_HTTP_RESPONSE_SEEN)) {
			slot->record.response_body = h->response.body;
			/* Ended within its body, or the rest was read in a way that is not seen: only sequence numbers tell. */
			if (h->response.state == HALF_INEXACT || (h->response.state == HALF_LENGTH && !h->tcp_plain))
				extra |= VOR_HTTP_SIZE_INEXACT;
			if (h->response.state == HALF_CLOSE && !(flags & VOR_HTTP_PEER_RESET))
				extra |= VOR_HTTP_RESPONSE_COMPLETE;
		}
		emit_slot(h, slot, now, extra);
	}
	return 0;
}
