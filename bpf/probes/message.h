/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surfaces that sit below the system call (A, B, C): they see each message of a recvmmsg or sendmmsg by itself, with the
 * registers of the whole call. */
#pragma once

#include "after.h"
#include "operation.h"

/* The connection counts the messages. The call ends with its last message, an error, or a message sent in part. */
INLINE void multi_next(struct conn *c, struct io *io)
{
	__u64 asked = 0;
	for (int i = 0; i < IO_SEGMENTS; i++)
		if (i < io->segments)
			asked += io->segment[i].length;
	bool partly = io->dir == DIR_SEND && (__u64)io->ret < asked;
	__u32 next = io->call + 1;
	c->multi[io->dir & 1] = !io->multi || partly || next >= io->multi_count || next >= 1024 ? 0 : next;
}

INLINE void multi_over(struct sock *sk, __u32 dir)
{
	struct pt_regs *regs = task_regs();
	__u64 nr = regs ? REGS_NR(regs) : 0;
	if (nr != NR_RECVMMSG && nr != NR_SENDMMSG)
		return;
	int kind = socket_kind(sk);
	struct conn *c = kind < 0 ? NULL : conn_get(sk, kind);
	if (c)
		c->multi[dir] = 0;
}

/* Two hooks say themselves when both are there; where there are more, user space says it (VOR_ARMED). */
INLINE void hook_seen(__u32 dir)
{
#if !defined(VOR_ARMED) && !defined(VOR_OLD)
	FETCH_OR(&vor_hooks_seen, 1u << dir);
#endif
}

INLINE int socket_io(struct sock *sk, int ret, int flags, __u32 dir, __u32 user)
{
	if (vor_hooks_seen != HOOKS_ALL) {
		hook_seen(dir);
		return 0;
	}
	if (flags & VOR_MSG_BESIDE)
		return 0;
	if (ret < 0 && !ends_connection(ret)) {
		multi_over(sk, dir);
		return 0;
	}
	int kind = socket_kind(sk);
	if (kind < 0)
		return 0;
	struct conn *c = conn_of(sk, kind);
	if (!c)
		return 0;
	if (ret <= 0) {
		nothing_moved(sk, c, dir, ret);
		return 0;
	}
	operation_marked(sk, c, dir);
	struct scratch *s = operation_begin(sk, c, user, dir, ret);
	if (!s)
		return 0;
	s->io.call = c->multi[dir];
	io_from_syscall(&s->io);
	if (s->io.multi || s->io.call)
		multi_next(c, &s->io);
	if (flags & VOR_MSG_TRUNC)
		s->io.segments = 0;
	return on_io(sk, c, s);
}
