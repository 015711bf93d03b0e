/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Who works on what, for the parents of client requests.
 *
 * vor_threads: tid -> the server request this thread read on a blocking socket and whose response has not ended. Written by
 * the thread when the request head is complete, and by whoever ends the response; deleted when the thread exits. 32 768 is
 * the default limit of threads of a small machine; full is counted (VOR_COUNT_THREAD_FULL), the call then has no parent.
 *
 * vor_open: tgid -> open server requests, only to say why a client request has no parent. Deleted when the process exits. */
#pragma once

#include "joins.h"

struct thread_work {
	struct ids ids;
	__u32 open;        /* requests held open; the ids are those of the first */
	__u32 ambiguous;   /* more than one was open since it was last zero: the ids may not be those of the rest */
};

struct process_work {
	__u32 blocking;    /* open server requests on blocking sockets */
	__u32 nonblocking;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct thread_work);
} vor_threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct process_work);
} vor_open SEC(".maps");
