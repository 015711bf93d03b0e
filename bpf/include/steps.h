/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The same handler for kernels before 5.17, whose verifier walks every turn of every loop: an operation is handled in steps, a
 * tail call each (33 at most), a few rounds of the parser a step. What is left when no call is left is given up: its
 * exchanges are dropped and counted. */
#pragma once

/* Rounds of the parser in one step: what the verifier's limit allows. */
#define ROUNDS_A_STEP 2

enum phase {
	PHASE_BEGIN = 0,
	PHASE_PARSE = 1,
	PHASE_END = 2,
};

/* The operation in s->io is handled by the steps that follow. */
INLINE int on_io(struct sock *sk, struct conn *c, struct scratch *s)
{
	s->phase = PHASE_BEGIN;
	s->messages = 0;
	return 1;
}

/* The next message of a call that moved several; false = there is none. */
INLINE bool next_message(struct scratch *s)
{
	__u32 length = 0;
	if (s->message >= s->messages)
		return false;
	bpf_probe_read_user(&length, sizeof(length), (void *)(s->vector + (__u64)s->message * MMSGHDR_SIZE + MMSGHDR_LENGTH));
	s->io.ret = length;
	s->io.after -= length;
	s->io.call = s->message++;
	io_from_syscall(&s->io);
	return true;
}

INLINE void parse_step(struct sock *sk, struct conn *c, struct scratch *s)
{
	struct http1 *h = http1_get(sk, c->tcp);
	if (!h) {
		s->phase = PHASE_END;
		return;
	}
	struct work w = {.c = c, .h = h, .s = s};
	for (int i = 0; i < ROUNDS_A_STEP; i++) {
		__u32 round = s->rounds++;
		if (http1_round(round, &w)) {
			s->phase = PHASE_END;
			break;
		}
	}
	if (s->phase == PHASE_END)
		http1_end(sk, c, h, s, s->outcome);
}

INLINE int step(void *ctx, void *steps, __u32 user)
{
	struct scratch *s = scratch_get(user);
	if (!s)
		return 0;
	struct sock *sk = (struct sock *)s->io.sock;
	struct conn *c = conn_get(sk, true);
	if (!c)
		return 0;
	if (s->phase == PHASE_BEGIN) {
		s->offset = 0;
		s->windows = 0;
		s->chunks = 0;
		s->rounds = 0;
		s->outcome = ROUND_ON;
		s->phase = s->io.ret && io_begin(sk, c, s) ? PHASE_PARSE : PHASE_END;
	} else {
		parse_step(sk, c, s);
	}
	if (s->phase == PHASE_END) {
		if (c->state == CONN_IGNORED || !next_message(s))
			return 0;
		s->phase = PHASE_BEGIN;
	}
	bpf_tail_call(ctx, steps, 0);
	struct http1 *h = http1_get(sk, c->tcp);
	if (h)
		http1_end(sk, c, h, s, ROUND_FAULT);
	return 0;
}

/* The step program of one hook and the array through which it is called, which user space fills. */
#define STEPS(name, section, user)                              \
	struct {                                                \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);          \
		__uint(max_entries, 1);                         \
		__uint(key_size, sizeof(__u32));                \
		__uint(value_size, sizeof(__u32));              \
	} vor_steps_##name SEC(".maps");                        \
	SEC(section)                                            \
	int vor_step_##name(void *ctx)                          \
	{                                                       \
		return step(ctx, &vor_steps_##name, user);      \
	}

#define RUN(ctx, name, operation)                               \
	do {                                                    \
		if (operation)                                  \
			bpf_tail_call(ctx, &vor_steps_##name, 0); \
		return 0;                                       \
	} while (0)
