/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What every surface does with an operation before the handler sees it. */
#pragma once

#include "socket.h"

INLINE bool ends_connection(int ret)
{
	return ret == -VOR_EPIPE || ret == -VOR_ECONNABORTED || ret == -VOR_ECONNRESET || ret == -VOR_ETIMEDOUT;
}

/* An operation that moved nothing. Zero is the end of the stream only if the peer has shut its side and nothing waits to
 * be read: a read of no bytes gives zero, too, and so does one of the error queue. */
INLINE void nothing_moved(struct sock *sk, struct conn *c, __u32 dir, int ret)
{
	if (ret < 0 ||
	    (dir == DIR_RECV && (FIELD(sk, sk_shutdown) & VOR_SHUTDOWN_RECEIVE) && !FIELD(sk, sk_receive_queue.qlen)))
		on_end(sk, c, dir, ret, bpf_ktime_get_boot_ns());
}

/* The facts of the operation, but for the memory it moved. NULL: nobody wants to know. */
INLINE struct scratch *operation_begin(struct sock *sk, struct conn *c, __u32 user, __u32 dir, int ret)
{
	struct scratch *s = scratch_get(user);
	if (!s)
		return NULL;
	__u64 id = bpf_get_current_pid_tgid();
	if (!selected(c, id >> 32)) {
		reject(sk, c);
		return NULL;
	}
	if (c->state == CONN_IGNORED)
		return NULL;
	s->io.sock = (__u64)sk;
	s->io.now = bpf_ktime_get_boot_ns();
	s->io.ret = ret;
	s->io.tid = (__u32)id;
	s->io.tgid = id >> 32;
	s->io.dir = dir;
	return s;
}
