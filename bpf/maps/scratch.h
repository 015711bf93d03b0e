/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_scratch: working memory, one entry per program that needs it and per CPU. Programs on tracepoints are not preempted
 * and do not nest into themselves, but a soft interrupt may run another one: hence one entry each. Nothing in it
 * outlives a run but `random`. */
#pragma once

#include "../include/io.h"
#include "../include/evidence.h"

enum scratch_user {
	SCRATCH_RECV = 0,
	SCRATCH_SEND = 1,
	SCRATCH_ENTRY = 2,
	SCRATCH_CLOSE = 3,
	SCRATCH_PROCESS = 4,
	SCRATCH_SWEEP = 5,
	SCRATCH_USERS = 6,
};

/* Entries for the programs of a surface that may be preempted (fexit): there each needs its own. */
#ifndef VOR_SCRATCH_MORE
#define VOR_SCRATCH_MORE 0
#endif

/* Where a walk over a vector's segments stands. */
struct segment_walk {
	__u64 skip;        /* bytes to pass over before the first one copied */
	__u32 at;          /* where the next byte goes */
	__u32 left;        /* bytes still to copy */
	__u32 asked;       /* bytes to copy in all */
	__s32 fault;
};

/* Locals of deep calls: the stack of a whole chain of calls is 512 bytes, each frame rounded up to 32. */
struct temporary {
	struct joined joined;
	struct ids ids;
	struct parent parent;
	struct vor_address local;
	struct vor_address remote;
};

struct scratch {
	char buffer[SCRATCH_BUFFER + 16];
	char collected[2048]; /* OTEL_ variables found so far (exec) */
	struct io io;
	struct temporary t;
	struct vor_conn_record conn;
	struct segment_walk walk;
	__u64 random;      /* state of the id generator of this program and CPU */
	__u32 offset;      /* bytes of the operation consumed so far */
	__u32 end;         /* valid bytes in buffer: the carried line, then bytes of the operation */
	__u32 carried;     /* of those, carried from before */
	__u32 scan;        /* where the search for line ends goes on */
	__u32 windows;     /* windows of head bytes read in this operation */
	__u32 outcome;     /* enum round_result of the last round */
	__u32 line;        /* start of the current line in buffer */
	__u32 stop;        /* parsing of this window ends here (head complete) */
	__u32 result;      /* enum round_result of the line loop */
	__u32 chunks;      /* chunk headers walked in this operation */
	__u32 seq;         /* TCP sequence number of the operation's first byte */
	__u32 request;     /* the half being parsed is the request half */
	__u32 used;        /* bytes of chunk framing passed */
	__u32 nonblocking; /* O_NONBLOCK of the socket's file */
#ifdef VOR_OLD
	__u32 feed;        /* the line feed that ends a line to look at, NO_FEED = none */
	__u32 phase;       /* enum phase of the next step */
	__u32 rounds;      /* rounds of this operation */
	__u32 messages;    /* of a recvmmsg or sendmmsg (surface D): how many, the next one, where they are */
	__u32 message;
	__u64 vector;
#endif
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_USERS + VOR_SCRATCH_MORE);
	__type(key, __u32);
	__type(value, struct scratch);
} vor_scratch SEC(".maps");

INLINE struct scratch *scratch_get(__u32 user)
{
	return bpf_map_lookup_elem(&vor_scratch, &user);
}

static long segment_step(__u32 i, struct scratch **context)
{
	struct scratch *s = *context;
	struct segment_walk *w = &s->walk;
	__u64 which = i;
	BOUND(which, IO_SEGMENTS - 1);
	struct io_segment *segment = &s->io.segment[which];
	if (i >= s->io.segments || !w->left)
		return 1;
	__u64 length = segment->length, skip = w->skip;
	if (skip >= length) {
		w->skip = skip - length;
		return 0;
	}
	__u64 n = MIN(length - skip, w->left), place = w->at;
	BOUND(place, 2047);
	BOUND(n, 2047);
	if (n > IO_READ_MAX)
		return 1;
	if (bpf_probe_read_user(s->buffer + place, n, (void *)(segment->base + skip))) {
		w->fault = 1;
		return 1;
	}
	w->at += n;
	w->left -= n;
	w->skip = 0;
	return 0;
}

/* One window of a vector, and the next one loaded where this one was not enough. Returns whether to go on. */
ALONE int io_read_window(struct scratch *s, __u32 from)
{
	if (!s)
		return 0;
	struct segment_walk *w = &s->walk;
	struct scratch *context = s;
	REPEAT(IO_SEGMENTS, segment_step, &context);
	__u32 next = s->io.window + IO_SEGMENTS;
	if (!w->left || w->fault || next >= s->io.vector_count)
		return 0;
	s->io.window_at = from + w->asked - w->left - (__u32)w->skip;
	io_window(&s->io, next);
	if (!s->io.segments)
		w->fault = 1;
	return !w->fault;
}

/* Copies `count` (<= IO_READ_MAX) bytes of the operation's stream, from `offset` on, to buffer[at]. Returns the bytes
 * copied, fewer if the segments end before, or -1 for a fault. */
ALONE int io_read(struct scratch *s, __u32 at, __u32 offset, __u32 count)
{
	if (!s)
		return -1;
	if (s->io.vector_count <= 1 && s->io.segments) {
		__u64 length = s->io.segment[0].length, n = count, place = at;
		if (offset >= length)
			return 0;
		if (n > length - offset)
			n = length - offset;
		BOUND(place, 2047);
		BOUND(n, 2047);
		if (n > IO_READ_MAX)
			return -1;
		return bpf_probe_read_user(s->buffer + place, n, (void *)(s->io.segment[0].base + offset)) ? -1 : (int)n;
	}
	struct segment_walk *w = &s->walk;
	if (offset < s->io.window_at) {
		s->io.window_at = 0;
		io_window(&s->io, 0);
	}
	w->skip = offset - s->io.window_at;
	w->at = at;
	w->left = count;
	w->asked = count;
	w->fault = 0;
	for (int i = 0; i < IO_WINDOWS_MAX; i++)
		if (!io_read_window(s, offset))
			break;
	return w->fault ? -1 : (int)(count - w->left);
}
