/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_ring: finished exchanges and connection records. Written by every hook, emptied by user space on a timer.
 * 8 MiB is about 25 000 exchanges; user space may set another size before load. A record takes its own length rounded
 * up to 8 bytes. Nothing wakes user space per record: a wake-up is forced only while more than half of the ring is
 * filled, and then at most once every few milliseconds. */
#pragma once

#include "../include/common.h"
#include "counters.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} vor_ring SEC(".maps");

#define RING_WAKE_INTERVAL_NS 2000000

/* Boot-clock time of the last forced wake-up. */
__u64 vor_last_wake_ns = 0;

/* `written`: records that this CPU has written. It looks every 16th time. */
INLINE __u64 ring_flags(__u64 now, __u64 written)
{
	if (written & 15)
		return BPF_RB_NO_WAKEUP;
	__u64 waiting = bpf_ringbuf_query(&vor_ring, BPF_RB_AVAIL_DATA);
	if (waiting < bpf_ringbuf_query(&vor_ring, BPF_RB_RING_SIZE) / 2 || now - vor_last_wake_ns < RING_WAKE_INTERVAL_NS)
		return BPF_RB_NO_WAKEUP;
	vor_last_wake_ns = now;
	return BPF_RB_FORCE_WAKEUP;
}
