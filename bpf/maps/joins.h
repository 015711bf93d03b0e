/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_joins: the ids of client requests under way, for the server end of the same connection on this host. The key is exact:
 * the two ends and the TCP sequence number of the request's first byte, which both sides know, whenever Vör was attached
 * and however requests are pipelined.
 *
 * An array of 8 192 places, two for each key, chosen by a hash of it (a hash map costs four times as much). Written by
 * the client before its bytes leave (tcp_sendmsg_locked), marked as taken by the server when its request head is complete
 * or by the client when its exchange ends, never deleted: the next request that hashes to the place overwrites it. An entry is needed for the microseconds between
 * send and read; one that was overwritten before is not found, and user space joins the two records by the same key. */
#pragma once

#include "../include/state.h"
#include "counters.h"

struct join_key {
	__u8 from[16];
	__u8 to[16];
	__u16 from_port;
	__u16 to_port;
	__u32 seq;           /* bytes 36 to 39: the fifth word ends here */
	/* Loopback addresses mean something only within their network namespace; others hold across (containers). */
	__u32 netns;
};

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
	struct join_key key;
	__u32 taken;
	struct joined joined;
	/* Over key and joined: two clients that write one place at once leave a mixture, which must not look like an entry. */
	__u64 check;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JOIN_PLACES);
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

INLINE void join_key_fill(struct join_key *key, const struct vor_address *client, const struct vor_address *server,
			  __u32 netns, __u32 seq)
{
	__builtin_memcpy(key->from, client->addr, 16);
	__builtin_memcpy(key->to, server->addr, 16);
	key->from_port = client->port;
	key->to_port = server->port;
	key->seq = seq;
	key->netns = is_loopback(server->addr) ? netns : 0;
}

/* Two places for a key, side by side: `second` is 0 or 1. */
INLINE struct join *join_place(const struct join_key *key, __u32 second)
{
	__u64 mix = ((__u64)key->seq << 32 | (__u32)key->from_port << 16 | key->to_port) * 0x9e3779b97f4a7c15ull;
	__u32 place = (mix >> 51) ^ second;
	return bpf_map_lookup_elem(&vor_joins, &place);
}

INLINE bool join_same(const struct join *join, const struct join_key *key)
{
	const __u64 *a = (const __u64 *)&join->key, *b = (const __u64 *)key;
	__u64 difference = 0;
	for (int i = 0; i < 5; i++)
		difference |= a[i] ^ b[i];
	return !difference && join->key.netns == key->netns;
}

/* The entry of this key, wherever it is. */
INLINE struct join *join_find(const struct join_key *key)
{
	struct join *join = join_place(key, 0);
	if (join && join_same(join, key))
		return join;
	join = join_place(key, 1);
	return join && join_same(join, key) ? join : NULL;
}

INLINE __u64 join_check(const struct join_key *key, const struct joined *joined)
{
	const __u64 *k = (const __u64 *)key, *j = (const __u64 *)joined;
	__u64 sum = key->netns;
	for (int i = 0; i < 5; i++)
		sum = (sum ^ k[i]) * 0x9e3779b97f4a7c15ull;
	for (int i = 0; i < 6; i++)
		sum = (sum ^ j[i]) * 0x9e3779b97f4a7c15ull;
	return sum;
}

#ifdef VOR_OLD
/* Before 5.12 there is neither: user space joins what two took at once. x86 keeps the order of stores. */
#define JOIN_STORE(word, value) (*(volatile __u32 *)&(word) = (value))
INLINE __u32 join_mark(struct join *join)
{
	__u32 taken = *(volatile __u32 *)&join->taken;
	*(volatile __u32 *)&join->taken = 1;
	return taken;
}
#else
#define JOIN_STORE(word, value) __sync_lock_test_and_set(&(word), value)
INLINE __u32 join_mark(struct join *join)
{
	return __sync_fetch_and_or(&join->taken, 1);
}
#endif

/* The client's. Of the two places the one whose entry was taken. The sequence number is taken away first and put in last:
 * a server that looks meanwhile finds nothing. */
INLINE void join_publish(const struct join_key *key, const struct joined *joined)
{
	struct join *join = join_place(key, 0);
	if (join && !join->taken && join->key.seq) {
		struct join *other = join_place(key, 1);
		if (other && (other->taken || !other->key.seq))
			join = other;
	}
	if (!join)
		return;
	JOIN_STORE(join->key.seq, ~key->seq);
	__builtin_memcpy(&join->key, key, __builtin_offsetof(struct join_key, seq));
	join->key.netns = key->netns;
	join->joined = *joined;
	join->check = join_check(key, joined);
	join->taken = 0;
	JOIN_STORE(join->key.seq, key->seq);
}

/* The server's: true with the ids if the client is on this host. */
INLINE bool join_take(const struct join_key *key, struct joined *joined)
{
	struct join *join = join_find(key);
	if (!join)
		return false;
	*joined = join->joined;
	__u64 check = join->check;
	/* Overwritten while we read, or written by two at once? */
	if (join_mark(join) || !join_same(join, key))
		return false;
	return check == join_check(key, joined);
}

/* The client's again, at the end of its exchange: whether a server on this host has the ids (overwritten means not known:
 * false). The place is free from now on. */
INLINE bool join_taken(const struct join_key *key)
{
	struct join *join = join_find(key);
	return join && join_mark(join);
}
