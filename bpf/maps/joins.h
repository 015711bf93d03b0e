/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_joins: the ids of client requests under way, for the server end of the same connection on this host. What identifies
 * a request is the two ends and the TCP sequence number of its first byte, which both sides know, whenever Vör was attached
 * and however requests are pipelined. Its key is 64 well-mixed bits of that: two of thousands under way are the same as
 * rarely as two random ids are.
 *
 * An array of 8 192 places of one cache line each (it goes from the client's CPU to the server's and back), two for each
 * connection (a hash map costs four times as much). Written by the client before its bytes leave (tcp_sendmsg_locked), marked
 * as taken by the server when its request head is complete or by the client when its exchange ends, never deleted: the next
 * request that comes to the place overwrites it. An entry is needed for the microseconds between send and read; one that was
 * overwritten before is not found, and user space joins the two records by ends and sequence number.
 */
#pragma once

#include "../include/state.h"
#include "counters.h"

struct ids {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u32 sampled;
	__u32 _pad;
};

#define JOIN_PLACES 8192

/* What the client leaves for the server. */
struct joined {
	struct ids ids;
	struct vor_process_key process;
};

struct join {
	__u64 key;           /* 0 = empty or being written; JOIN_TAKEN in it: the server has the ids, or nobody wants them any more */
	struct joined joined;
	/* Over key and joined: two clients that write one place at once leave a mixture, which must not look like an entry. */
	__u64 check;
};

#define JOIN_TAKEN 1ull

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JOIN_PLACES);
	__uint(map_flags, BPF_F_MMAPABLE); /* never mapped: it is what begins the places on a page, each on a line */
	__type(key, __u32);
	__type(value, struct join);
} vor_joins SEC(".maps");

INLINE bool is_loopback(const __u8 *addr)
{
	const __u64 *halves = (const __u64 *)addr;
	if (halves[0])
		return false;
	__u64 low = halves[1];
	return low == 0x0100000000000000ull || (low & 0xffffffffffull) == 0x7fffff0000ull;
}

INLINE __u64 join_mix(__u64 sum, __u64 word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
	return sum ^ sum >> 32;
}

/* The two ends of a connection, the same from either side. Loopback addresses mean something only within their network
 * namespace; others hold across (containers). */
INLINE __u64 join_ends(const struct vor_address *client, const struct vor_address *server, __u32 netns)
{
	const __u64 *from = (const __u64 *)client->addr, *to = (const __u64 *)server->addr;
	__u64 sum = join_mix(0x243f6a8885a308d3ull, from[0]);
	sum = join_mix(sum, from[1]);
	sum = join_mix(sum, to[0]);
	sum = join_mix(sum, to[1]);
	__u64 ports = (__u64)client->port << 16 | server->port;
	return join_mix(sum, ports << 32 | (is_loopback(server->addr) ? netns : 0));
}

/* For one connection no two sequence numbers give the same. */
INLINE __u64 join_key(__u64 ends, __u32 seq)
{
	__u64 key = join_mix(ends, seq) & ~JOIN_TAKEN;
	return key ? key : 2;
}

/* Two places for a connection, side by side: `second` is 0 or 1. They are the same for all its requests, so that both CPUs
 * have the line, and its page, at hand. Of requests pipelined, those beyond two are left to user space. */
INLINE struct join *join_place(__u64 ends, __u32 second)
{
	__u32 place = (ends >> 51) ^ second;
	return bpf_map_lookup_elem(&vor_joins, &place);
}

INLINE __u64 join_check(__u64 key, const struct joined *joined)
{
	const __u64 *words = (const __u64 *)joined;
	__u64 sum = key;
	for (int i = 0; i < 6; i++)
		sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15ull;
	return sum;
}

/* Stores in the order of the program, as x86 keeps them anyway. */
#if defined(__TARGET_ARCH_x86) || defined(VOR_OLD)
#define JOIN_STORE(word, value)                             \
	do {                                                \
		asm volatile("" ::: "memory");              \
		*(volatile __u64 *)&(word) = (value);       \
		asm volatile("" ::: "memory");              \
	} while (0)
#else
#define JOIN_STORE(word, value) __sync_lock_test_and_set(&(word), (__u64)(value))
#endif

/* Marks the entry of this key as taken and says what was there: `key`, then it is the caller's; else something else, taken
 * already perhaps. One instruction, because the line comes from another CPU: not once to be read and again to be written. */
INLINE __u64 join_mark(struct join *join, __u64 key)
{
#ifdef VOR_OLD
	/* Before 5.12 nothing gives back what was there: user space joins what two took at once. */
	__u64 was = *(volatile __u64 *)&join->key;
	if (was == key)
		*(volatile __u64 *)&join->key = key | JOIN_TAKEN;
	return was;
#else
	return __sync_val_compare_and_swap(&join->key, key, key | JOIN_TAKEN);
#endif
}

INLINE bool join_in_use(const struct join *join)
{
	return join->key && !(join->key & JOIN_TAKEN);
}

/* The client's. Of the two places the one that is free. The key is taken away first and put in last: a server that looks
 * meanwhile finds nothing. */
INLINE void join_publish(__u64 ends, __u32 seq, const struct joined *joined)
{
	__u64 key = join_key(ends, seq);
	struct join *join = join_place(ends, 0);
	if (join && join_in_use(join)) {
		struct join *other = join_place(ends, 1);
		if (other && !join_in_use(other))
			join = other;
	}
	if (!join)
		return;
	JOIN_STORE(join->key, 0);
	join->joined = *joined;
	join->check = join_check(key, joined);
	JOIN_STORE(join->key, key);
}

/* The server's: true with the ids if the client is on this host. */
INLINE bool join_take(__u64 ends, __u32 seq, struct joined *joined)
{
	__u64 key = join_key(ends, seq);
	struct join *join = join_place(ends, 0);
	if (!join)
		return false;
	if (join_mark(join, key) != key) {
		join = join_place(ends, 1);
		if (!join || join_mark(join, key) != key)
			return false;
	}
	*joined = join->joined;
	/* Overwritten while we read, or written by two at once? */
	return join->check == join_check(key, joined) && *(volatile __u64 *)&join->key == (key | JOIN_TAKEN);
}

/* The client's again, at the end of its exchange: whether a server on this host has the ids (overwritten means not known:
 * false). The place is free from now on. */
INLINE bool join_taken(__u64 ends, __u32 seq)
{
	__u64 key = join_key(ends, seq);
	for (__u32 second = 0; second < 2; second++) {
		struct join *join = join_place(ends, second);
		if (!join || (join->key & ~JOIN_TAKEN) != key)
			continue;
		return (join->key & JOIN_TAKEN) || join_mark(join, key) == (key | JOIN_TAKEN);
	}
	return false;
}
