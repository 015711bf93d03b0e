/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Globals, maps, the ring and BTF layout. The raw tracepoint fires on getppid-like syscalls of the test's own process. */
#include "common.h"

enum bpfl_color { BPFL_RED = 1, BPFL_GREEN = 7 };

struct bpfl_inner { __u16 port; __u8 addr[16]; };

struct bpfl_record {
	__u64 sequence;
	__u32 length;
	union { __u32 as_number; __u8 as_bytes[4]; };
	struct bpfl_inner inner;
	__u32 low : 3;
	__u32 high : 29;
	char name[16];
	enum bpfl_color color;
	__u16 grid[2][3];
	void *pointer;
};

const struct bpfl_record *bpfl_anchor __attribute__((unused));
enum bpfl_color bpfl_color_anchor __attribute__((unused));

const volatile __u8 small = 3;
const volatile __s32 signed_number = -5;
const volatile _Bool flag = 0;
const volatile __u64 big = 0;
const volatile char text[8] = "abc";

__u64 calls;
__u64 seen_small, seen_big;
__s64 seen_signed;
__u32 seen_flag;
char seen_text[8];

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 5000); __type(key, __u32); __type(value, __u64); } numbers SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __uint(max_entries, 100); __type(key, __u32); __type(value, __u32); } percpu SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __uint(map_flags, BPF_F_MMAPABLE); __type(key, __u32); __type(value, __u64); } array SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
/* No kernel has this type: loads only with autocreate off. */
struct { __uint(type, 250); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); } optional SEC(".maps");

SEC("raw_tp/sys_enter")
int bpfl_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_own()) return 0;
	__sync_fetch_and_add(&calls, 1);
	seen_small = small;
	seen_signed = signed_number;
	seen_flag = flag;
	seen_big = big;
	for (int i = 0; i < 8; i++) seen_text[i] = text[i];
	return 0;
}

SEC("tp_btf/sys_enter")
int bpfl_tp_btf(__u64 *ctx)
{
	if (is_own()) __sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("tp/syscalls/sys_enter_getppid")
int bpfl_tracepoint(void *ctx)
{
	if (is_own()) __sync_fetch_and_add(&calls, 1);
	return 0;
}
