/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_joins: the ids of client requests under way, for the server end of the same connection on this host. The key is exact:
 * the two ends and the TCP sequence number of the request's first byte, which both sides know, whenever Vör was attached
 * and however requests are pipelined. Written by the client before its bytes leave (tcp_sendmsg_locked); taken (read and
 * deleted) by the server when its request head is complete; deleted by the client when its exchange ends, which is what
 * frees the entries of servers on other hosts. 16 384 is the number of client requests in flight on a host; more are
 * counted (VOR_COUNT_JOIN_FULL) and joined in user space by the same key. */
#pragma once

#include "../include/state.h"
#include "counters.h"

struct join_key {
	__u8 from[16];
	__u8 to[16];
	__u16 from_port;
	__u16 to_port;
	__u32 seq;
	/* Loopback addresses mean something only within their network namespace; others hold across (containers). */
	__u32 netns;
};

struct ids {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u32 sampled;
	__u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct join_key);
	__type(value, struct ids);
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
