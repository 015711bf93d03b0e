/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The two ends of a connection, as its socket tells them. */
#pragma once

#include "../maps/conns.h"
#include "../maps/joins.h"

INLINE void read_addresses(struct vor_address *local, struct vor_address *remote, struct sock *sk, __u8 family)
{
	if (family == VOR_AF_UNIX)
		return;
	if (family == VOR_AF_INET) {
		local->addr[10] = local->addr[11] = remote->addr[10] = remote->addr[11] = 0xff;
		*(__u32 *)(local->addr + 12) = FIELD(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)(remote->addr + 12) = FIELD(sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO(&local->addr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&remote->addr, sk, __sk_common.skc_v6_daddr);
	}
	local->port = FIELD(sk, __sk_common.skc_num);
	remote->port = swap16(FIELD(sk, __sk_common.skc_dport));
}

/* Facts of the socket that are read once a connection. Its ports are gone when it closes. */
INLINE void read_socket(struct http1 *h, struct sock *sk, __u8 family)
{
	h->family = family;
	h->netns = FIELD(sk, __sk_common.skc_net.net, ns.inum);
	if (family == VOR_AF_UNIX)
		h->peer_inode = BPF_CORE_READ((struct unix_sock *)sk, peer, sk_socket, file, f_inode, i_ino);
	read_addresses(&h->local, &h->remote, sk, family);
	h->join_ends = h->request_dir == DIR_SEND ? join_ends(&h->local, &h->remote, h->netns) :
						    join_ends(&h->remote, &h->local, h->netns);
}
