/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_red: where an exchange is counted when the ring has no room for its record, so that rates, errors and durations stay
 * exact when spans are lost. Per CPU; written by the hooks that emit, taken (read and deleted) by user space. 4096
 * keys are e.g. 200 processes times 20 statuses and methods. */
#pragma once

#include "../include/common.h"
#include "counters.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct vor_red_key);
	__type(value, struct vor_red_value);
} vor_red SEC(".maps");

/* All zero, never written: the first value of an entry, too large for the stack of a deep call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vor_red_value);
} vor_red_zero SEC(".maps");

static const __u64 duration_bounds_us[VOR_DURATION_BUCKETS - 1] = {
	5000, 10000, 25000, 50000, 75000, 100000, 250000, 500000, 750000, 1000000, 2500000, 5000000, 7500000, 10000000,
};

/* Nanoseconds against bounds in microseconds, upper-inclusive to the nanosecond. The sign of a difference instead of a
 * comparison: a branch for each bound would double the verifier's paths. */
INLINE __u32 duration_bucket(__u64 ns)
{
	__u64 bucket = 0;
	for (int i = 0; i < VOR_DURATION_BUCKETS - 1; i++)
		bucket += (duration_bounds_us[i] * 1000 - ns) >> 63;
	return bucket;
}

/* Bounds 0 32 64 128 … 8192, upper-inclusive. */
INLINE __u32 size_bucket(__u64 bytes)
{
	__u64 bucket = (0 - bytes) >> 63;
	for (int i = 0; i < VOR_SIZE_BUCKETS - 2; i++)
		bucket += ((32ull << i) - bytes) >> 63;
	return bucket;
}

INLINE void red_add(const struct vor_http_record *record)
{
	struct vor_red_key key = {
		.process = record->process,
		.status = record->status,
		.method = record->method,
		.role = record->role,
		.flags = record->flags & (VOR_HTTP_VERSION_10 | VOR_HTTP_PEER_RESET),
		.port = record->role == VOR_ROLE_SERVER ? record->local.port : record->remote.port,
	};
	struct vor_red_value *value = bpf_map_lookup_elem(&vor_red, &key);
	if (!value) {
		__u32 none = 0;
		struct vor_red_value *zero = bpf_map_lookup_elem(&vor_red_zero, &none);
		if (zero)
			bpf_map_update_elem(&vor_red, &key, zero, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&vor_red, &key);
		if (!value) {
			count(VOR_COUNT_FALLBACK_FULL);
			return;
		}
	}
	__u64 duration = record->end_ns - record->start_ns;
	__u32 d = duration_bucket(duration), q = size_bucket(record->request_body), p = size_bucket(record->response_body);
	value->count++;
	value->duration_sum_ns += duration;
	value->request_body_sum += record->request_body;
	value->response_body_sum += record->response_body;
	if (d < VOR_DURATION_BUCKETS)
		value->duration[d]++;
	if (q < VOR_SIZE_BUCKETS)
		value->request_body[q]++;
	if (p < VOR_SIZE_BUCKETS)
		value->response_body[p]++;
	count(VOR_COUNT_FALLBACK_ADDED);
}
