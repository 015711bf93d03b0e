/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Parents inside one process: exact or none.
 *
 * A thread is evidence only while it holds exactly one open request that came in on a blocking socket: nothing else could
 * have run on it in between. On a non-blocking socket the thread says nothing; there the runtime's own key is needed,
 * which we have for nginx. */
#pragma once

#include "process.h"
#include "../maps/threads.h"
#include "../maps/nginx.h"

#define SELECTION_NGINX (VOR_PROCESS_NGINX >> 8)

INLINE void open_count(__u32 tgid, bool nonblocking, __u32 by)
{
	struct process_work *work = by == 1 ? process_make(tgid) : process_find(tgid);
	if (work)
		__sync_fetch_and_add(nonblocking ? &work->nonblocking : &work->blocking, by);
}

INLINE void thread_opened(struct slot *slot, __u32 tid, const struct ids *ids)
{
	struct thread_work *work = thread_make(tid);
	if (!work) {
		count(VOR_COUNT_THREAD_FULL);
		return;
	}
	slot->owner_tid = tid;
	/* Others only ever subtract: what we see as zero stays zero. */
	__u32 before = work->open;
	__sync_fetch_and_add(&work->open, 1);
	if (before == 0) {
		work->ids = *ids;
		work->ambiguous = 0;
	} else {
		work->ambiguous = 1;
	}
}

INLINE void thread_closed(__u32 tid)
{
	struct thread_work *work = thread_find(tid);
	if (work && work->open)
		__sync_fetch_and_add(&work->open, (__u32)-1);
}

INLINE void evidence_thread_exit(__u32 tid)
{
	thread_forget(tid);
	bpf_map_delete_elem(&vor_nginx_calls, &tid);
}

INLINE void evidence_process_exit(__u32 tgid)
{
	process_forget(tgid);
}

/* A request was read from this downstream connection. An older one that is open stays: upstream writes are its. */
INLINE void nginx_opened(__u32 tgid, __s32 fd, __u64 sock, const struct ids *ids)
{
	struct nginx_key key = {.tgid = tgid, .fd = fd};
	struct nginx_request *request = bpf_map_lookup_elem(&vor_nginx_requests, &key);
	if (!request) {
		struct nginx_request first = {.ids = *ids, .sock = sock, .open = 1};
		bpf_map_update_elem(&vor_nginx_requests, &key, &first, BPF_NOEXIST);
		return;
	}
	if (request->open && request->sock == sock)
		return;
	request->ids = *ids;
	request->sock = sock;
	request->open = 1;
}

/* It has ended; `next` is the one after it on the connection, NULL = none. */
INLINE void nginx_closed(__u32 tgid, __s32 fd, __u64 sock, const struct ids *next)
{
	struct nginx_key key = {.tgid = tgid, .fd = fd};
	struct nginx_request *request = bpf_map_lookup_elem(&vor_nginx_requests, &key);
	if (!request || request->sock != sock)
		return;
	if (next)
		request->ids = *next;
	else
		request->open = 0;
}

/* The connection is over. The descriptor may be another's already. */
INLINE void nginx_over(struct http1 *h)
{
	struct nginx_key key = {.tgid = h->nginx_tgid, .fd = h->nginx_fd};
	if (!key.tgid)
		return;
	struct nginx_request *request = bpf_map_lookup_elem(&vor_nginx_requests, &key);
	if (request && request->sock == h->inode)
		bpf_map_delete_elem(&vor_nginx_requests, &key);
	h->nginx_tgid = 0;
}

struct parent {
	struct ids ids;
	__u8 evidence;
	__u8 absent;
};

/* The parent of a client request that starts now on this thread, over this descriptor. */
ALONE int find_parent(struct parent *parent, __u32 tgid, __u32 tid, __u32 fd, __u32 nginx)
{
	if (!parent)
		return 0;
	parent->evidence = VOR_EVIDENCE_NONE;
	parent->absent = VOR_ABSENT_NOT_APPLICABLE;
	if (nginx) {
		struct nginx_call *call = bpf_map_lookup_elem(&vor_nginx_calls, &tid);
		if (call && call->upstream_fd == fd) {
			/* Good for one request: nginx may use the descriptor again for what it does not write this way. */
			call->upstream_fd = -1;
			struct nginx_key key = {.tgid = tgid, .fd = call->downstream_fd};
			struct nginx_request *request = bpf_map_lookup_elem(&vor_nginx_requests, &key);
			if (request && request->open) {
				parent->ids = request->ids;
				parent->evidence = VOR_EVIDENCE_NGINX_REQUEST;
				return 0;
			}
		}
	}
	struct process_work *process = process_find(tgid);
	if (!process || !process->blocking) {
		parent->absent = process && process->nonblocking ? VOR_ABSENT_NONBLOCKING : VOR_ABSENT_NO_OPEN_REQUEST;
		return 0;
	}
	struct thread_work *work = thread_find(tid);
	if (!work || !work->open) {
		parent->absent = VOR_ABSENT_OTHER_THREAD;
		return 0;
	}
	if (work->open > 1 || work->ambiguous) {
		parent->absent = VOR_ABSENT_AMBIGUOUS;
		return 0;
	}
	parent->ids = work->ids;
	parent->evidence = VOR_EVIDENCE_THREAD;
	return 0;
}
