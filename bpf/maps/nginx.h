/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* nginx: which downstream request an upstream write belongs to.
 *
 * vor_nginx_calls: tid -> the descriptors of the upstream write under way. Written by the uprobe on ngx_chain_writer, read
 * by the send hooks of the same thread, which take it, deleted when the thread exits.
 * vor_nginx_requests: (tgid, downstream descriptor) -> ids of its oldest open request. Written by the socket hooks of
 * processes with VOR_PROCESS_NGINX; an entry is used again by the next request on the descriptor and deleted with the
 * connection. Sizes: worker threads, and open downstream connections. */
#pragma once

#include "joins.h"

struct nginx_call {
	__s32 upstream_fd;
	__s32 downstream_fd;
};

struct nginx_key {
	__u32 tgid;
	__s32 fd;
};

struct nginx_request {
	struct ids ids;
	__u64 sock;          /* inode number of the downstream socket */
	__u32 open;
	__u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct nginx_call);
} vor_nginx_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct nginx_key);
	__type(value, struct nginx_request);
} vor_nginx_requests SEC(".maps");
