/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Writes records on demand (BPF_PROG_TEST_RUN with arguments) and, attached, one for each getppid of the own process. */
#include "common.h"
#include <asm/unistd.h>

#define SCRATCH 1024

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");

struct { __u64 sequence, dropped, written; } made SEC(".data");
__u8 scratch[SCRATCH];

/* Not inlined: the verifier walks its loop once. */
__attribute__((noinline)) int write_one(__u64 length, __u64 flags)
{
	__u64 number = __sync_fetch_and_add(&made.sequence, 1);
	__u32 i;
	if (length < 16) length = 16;
	length &= SCRATCH - 1;
	*(__u64 *)scratch = number;
	*(__u64 *)(scratch + 8) = length;
	for (i = 16; i < SCRATCH; i++) scratch[i] = (__u8)(number + i);
	if (bpf_ringbuf_output(&ring, scratch, length, flags)) __sync_fetch_and_add(&made.dropped, 1);
	else __sync_fetch_and_add(&made.written, 1);
	return 0;
}

/* args: length, count, 0 = write 1 = discard, bpf_ringbuf flags */
SEC("raw_tp")
int bpfl_produce(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 length = ctx->args[0], count = ctx->args[1], discard = ctx->args[2], flags = ctx->args[3];
	__u32 i;
	for (i = 0; i < 64 && i < count; i++) {
		if (discard) {
			void *slot = bpf_ringbuf_reserve(&ring, 24, 0);
			if (slot) bpf_ringbuf_discard(slot, flags);
		} else {
			write_one(length, flags);
		}
	}
	return 0;
}

/* The length goes round so that records wrap at every possible place. One thread calls getppid: no race on scratch. */
SEC("raw_tp/sys_enter")
int bpfl_ring_load(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_own() || ctx->args[1] != __NR_getppid) return 0;
	write_one(16 + (made.sequence * 7) % 300, BPF_RB_NO_WAKEUP);
	return 0;
}
