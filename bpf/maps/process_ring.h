/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_process_ring: exec, fork, exit and listen. Apart from vor_ring so that no flood of exchanges can push a process's
 * name out. 1 MiB holds about 760 execs (the largest record) between two drains, or the thousands of forks and exits that a busy
 * build machine makes while user space waits for a CPU; a full ring is counted. */
#pragma once

#include "../include/common.h"
#include "counters.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} vor_process_ring SEC(".maps");

INLINE __u64 process_ring_flags(void)
{
	__u64 waiting = bpf_ringbuf_query(&vor_process_ring, BPF_RB_AVAIL_DATA);
	return waiting > 128 * 1024 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Room for one record with its header filled in; NULL is counted. */
#define process_reserve(type, record_kind)                                                 \
	({                                                                                 \
		type *_r = bpf_ringbuf_reserve(&vor_process_ring, sizeof(type), 0);        \
		if (_r) {                                                                  \
			_r->header.kind = record_kind;                                     \
			_r->header.size = sizeof(type);                                    \
			_r->header.cpu = bpf_get_smp_processor_id();                       \
		} else {                                                                   \
			count(VOR_COUNT_PROCESS_DROPPED);                                  \
		}                                                                          \
		_r;                                                                        \
	})
