/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_counters: one u64 per CPU and enum vor_counter. Written by every hook, read and never reset by user space. */
#pragma once

#include "../include/common.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VOR_COUNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} vor_counters SEC(".maps");

INLINE __u64 *counter_of(__u32 counter)
{
	return bpf_map_lookup_elem(&vor_counters, &counter);
}

INLINE void count(__u32 counter)
{
	__u64 *value = counter_of(counter);
	/* A soft interrupt may run another hook between load and store on this CPU: the add must be one instruction. */
	if (value)
		__sync_fetch_and_add(value, 1);
}
