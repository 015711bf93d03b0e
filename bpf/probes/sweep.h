/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_sweep: run by user space from time to time over vor_conn_hash. No hook sees the close of a unix socket: an entry
 * whose socket has no file any more, or another inode, is over. What was open on it is emitted as closed, now. */
#pragma once

#include "socket.h"

SEC("iter/bpf_map_elem")
int vor_sweep(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *address = ctx->key;
	struct conn *c = ctx->value;
	if (!address || !c)
		return 0;
	__u64 key = *address, inode = c->inode;
	struct sock *sk = (struct sock *)key;
	if (!inode || BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino) == inode)
		return 0;
	struct http1 *h = bpf_map_lookup_elem(&vor_http1_hash, &key);
	if (h) {
		exchanges_finish(h, bpf_ktime_get_boot_ns(), VOR_HTTP_CLOSED, VOR_COUNT_MAX);
		nginx_over(h);
		bpf_map_delete_elem(&vor_http1_hash, &key);
	}
	bpf_map_delete_elem(&vor_conn_hash, &key);
	return 0;
}
