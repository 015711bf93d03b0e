/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Who works on what, for the parents of client requests.
 *
 * Threads: tid -> the server request this thread read on a blocking socket and whose response has not ended. Written by the
 * thread when the request head is complete, and by whoever ends the response; deleted when the thread exits.
 * Processes: tgid -> open server requests, only to say why a client request has no parent. Deleted when the process exits.
 *
 * Each is an array with a place for the low bits of the id (a fifth of a hash map's cost, four times a request) and, for an id
 * whose place another one has, a hash map. 32 768 is the default limit of threads of a small machine; full is counted
 * (VOR_COUNT_THREAD_FULL), the call then has no parent. */
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

struct thread_place {
	__u32 tid;         /* whose place it is, 0 = nobody's */
	__u32 _pad;
	struct thread_work work;
	__u64 _line[2];    /* a place is a cache line */
};

struct process_place {
	__u32 tgid;
	__u32 _pad;
	struct process_work work;
};

#ifdef VOR_OLD
/* A place is taken by an exchange that gives back what was there: 5.12. */
#define THREAD_PLACES 1
#define PROCESS_PLACES 1
#else
#define THREAD_PLACES 32768
#define PROCESS_PLACES 16384
#endif

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, THREAD_PLACES);
	__uint(map_flags, BPF_F_MMAPABLE); /* never mapped: begins on a page */
	__type(key, __u32);
	__type(value, struct thread_place);
} vor_thread_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct thread_work);
} vor_threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROCESS_PLACES);
	__type(key, __u32);
	__type(value, struct process_place);
} vor_open_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct process_work);
} vor_open SEC(".maps");

/* Set for good when the first id found its place taken: until then nothing is in the hash maps. */
__u32 vor_places_taken = 0;

/* FIND(thread, tid): its entry or NULL. MAKE(thread, tid): the same, made if it is not there; NULL = no room. FORGET. */
#ifdef VOR_OLD
#define WORKERS(what, places, spill, id_)                                                         \
	INLINE struct what##_work *what##_find(__u32 id)                                          \
	{                                                                                         \
		return bpf_map_lookup_elem(&spill, &id);                                          \
	}                                                                                         \
	INLINE struct what##_work *what##_make(__u32 id)                                          \
	{                                                                                         \
		struct what##_work none = {}, *work = bpf_map_lookup_elem(&spill, &id);           \
		if (work)                                                                         \
			return work;                                                              \
		bpf_map_update_elem(&spill, &id, &none, BPF_NOEXIST);                             \
		return bpf_map_lookup_elem(&spill, &id);                                          \
	}                                                                                         \
	INLINE void what##_forget(__u32 id)                                                       \
	{                                                                                         \
		bpf_map_delete_elem(&spill, &id);                                                 \
	}
#else
#define WORKERS(what, places, spill, id_)                                                         \
	INLINE struct what##_place *what##_place_of(__u32 id)                                     \
	{                                                                                         \
		__u32 at = id & (sizeof(*places.max_entries) / sizeof(int) - 1);                  \
		return bpf_map_lookup_elem(&places, &at);                                         \
	}                                                                                         \
	INLINE struct what##_work *what##_find(__u32 id)                                          \
	{                                                                                         \
		struct what##_place *place = what##_place_of(id);                                 \
		if (place && place->id_ == id)                                                    \
			return &place->work;                                                      \
		return vor_places_taken ? bpf_map_lookup_elem(&spill, &id) : NULL;                \
	}                                                                                         \
	INLINE struct what##_work *what##_make(__u32 id)                                          \
	{                                                                                         \
		struct what##_work none = {}, *work = what##_find(id);                            \
		if (work)                                                                         \
			return work;                                                              \
		struct what##_place *place = what##_place_of(id);                                 \
		if (place && __sync_val_compare_and_swap(&place->id_, 0, id) == 0) {              \
			place->work = none; /* somebody may have come late to the one before */   \
			return &place->work;                                                      \
		}                                                                                 \
		vor_places_taken = 1;                                                             \
		bpf_map_update_elem(&spill, &id, &none, BPF_NOEXIST);                             \
		return bpf_map_lookup_elem(&spill, &id);                                          \
	}                                                                                         \
	INLINE void what##_forget(__u32 id)                                                       \
	{                                                                                         \
		struct what##_place *place = what##_place_of(id);                                 \
		if (place && place->id_ == id)                                                    \
			__sync_lock_test_and_set(&place->id_, 0);                                 \
		if (vor_places_taken)                                                             \
			bpf_map_delete_elem(&spill, &id);                                         \
	}
#endif

WORKERS(thread, vor_thread_places, vor_threads, tid)
WORKERS(process, vor_open_places, vor_open, tgid)
