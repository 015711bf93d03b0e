/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Programs behind another one on the same hook, attached only where programs can be preempted: they take over what the first
 * was skipped for (preempt.h). With n of them n + 1 tasks have to be preempted in the same place of one CPU before an
 * operation passes unseen; where no sequence number tells that, a last one does. */
#pragma once

#include "operation.h"

/* For the program in the array, which user space puts in: called so it runs although it is running. */
#define AGAIN(name)                                             \
	struct {                                                \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);          \
		__uint(max_entries, 1);                         \
		__uint(key_size, sizeof(__u32));                \
		__uint(value_size, sizeof(__u32));              \
	} vor_again_##name SEC(".maps");

/* By the first program of an operation that moved bytes, before it looks at them. */
INLINE void operation_marked(struct sock *sk, struct conn *c, __u32 dir)
{
	if (vor_preemptible && !counts_bytes(sk, c))
		c->handled[dir & 1] = (__u32)bpf_get_current_pid_tgid();
}

/* Whether somebody has seen this operation, which moved bytes or ended the connection. */
INLINE bool operation_seen(struct sock *sk, struct conn *c, int ret, __u32 dir)
{
	if (!c || ret <= 0)
		return false; /* an end that is seen twice is the same end */
	if (c->state >= CONN_IGNORED)
		return true;
	if (!counts_bytes(sk, c))
		return c->handled[dir & 1] == (__u32)bpf_get_current_pid_tgid();
	return c->next_seq[dir & 1] == stream_end(sk, dir);
}

/* The last one's. */
INLINE void operation_checked(struct sock *sk, struct conn *c, __u32 dir)
{
	if (!c || counts_bytes(sk, c))
		return;
	if (c->handled[dir & 1] != (__u32)bpf_get_current_pid_tgid())
		operation_missed(sk, c, dir);
	c->handled[dir & 1] = 0;
}
