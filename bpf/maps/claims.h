/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_claims: who ends an exchange, on kernels whose atomic operations give nothing back (before 5.12). Inserting into a hash
 * does: one of two that end the same exchange at once gets the slot. Key: the slot's address. Written and deleted by the
 * owner within one run; an entry lives for a microsecond. One for each CPU is enough. */
#pragma once

#include "../include/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} vor_claims SEC(".maps");

/* What is read after this was written before what is read before it: on x86 the compiler has to keep to it, no more. */
INLINE void loads_in_order(__u32 *any)
{
	asm volatile("" ::: "memory");
}

/* Sets bits that are not set, between the writes before and the reads after it (x86: a locked instruction). */
INLINE void set_bits(__u32 *word, __u32 bits)
{
	if (!(*(volatile __u32 *)word & bits))
		__sync_fetch_and_add(word, bits);
}

/* True for the one who ends an open exchange, as in emit.h. */
INLINE bool slot_own(struct slot *slot, __u32 bit)
{
	__u64 key = (__u64)slot;
	__u8 mine = 1;
	if (*(volatile __u32 *)&slot->state != SLOT_REQUEST || bpf_map_update_elem(&vor_claims, &key, &mine, BPF_NOEXIST))
		return false;
	if (*(volatile __u32 *)&slot->state != SLOT_REQUEST) {
		bpf_map_delete_elem(&vor_claims, &key);
		return false;
	}
	__sync_fetch_and_add(&slot->state, bit);
	return true;
}

INLINE void slot_free(struct slot *slot)
{
	__u64 key = (__u64)slot;
	*(volatile __u32 *)&slot->state = 0;
	bpf_map_delete_elem(&vor_claims, &key);
}
