/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* From a socket to its connection state. */
#pragma once

#include "../include/handler.h"

/* -1 = none of ours; else whether it is TCP-like (has a close hook and socket storage). */
INLINE int socket_kind(struct sock *sk)
{
	__u16 family = FIELD(sk, __sk_common.skc_family);
	if (FIELD(sk, sk_type) != VOR_SOCK_STREAM)
		return -1;
	if (family == VOR_AF_UNIX)
		return vor_capture_unix ? 0 : -1;
	if (family != VOR_AF_INET && family != VOR_AF_INET6)
		return -1;
	__u16 protocol = FIELD(sk, sk_protocol);
	return protocol == VOR_IPPROTO_TCP || protocol == VOR_IPPROTO_MPTCP ? 1 : -1;
}

/* State of a connection whose socket has this inode; `c` is what its address led to. */
INLINE struct conn *conn_of_inode(struct sock *sk, struct conn *c, bool tcp, __u64 inode)
{
	if (!inode)
		return NULL; /* a kernel socket */
	if (c && c->inode == inode)
		return c;
	if (c && c->inode) {
		/* The address was used again: what was open on the old socket has no end. */
		struct http1 *h = http1_get(sk, tcp);
		if (h) {
			exchanges_finish(h, bpf_ktime_get_boot_ns(), VOR_HTTP_CLOSED, VOR_COUNT_MAX);
			nginx_over(h);
			http1_delete(sk, tcp);
		}
		conn_delete(sk, tcp);
		c = NULL;
	}
	/* Made at the handshake, before there was a file, or now. */
	if (!c)
		c = conn_create(sk, tcp);
	if (!c) {
		count(VOR_COUNT_STATE_FULL);
		return NULL;
	}
	c->inode = inode;
	c->family = FIELD(sk, __sk_common.skc_family);
	c->tcp = tcp;
	c->tcp_plain = tcp && FIELD(sk, sk_protocol) == VOR_IPPROTO_TCP;
	return c;
}

INLINE struct conn *conn_of(struct sock *sk, bool tcp)
{
	struct conn *c = conn_get(sk, tcp);
	if (c && c->inode && storage_form(tcp))
		return c;
	return conn_of_inode(sk, c, tcp, FIELD(sk, sk_socket, file, f_inode, i_ino));
}
