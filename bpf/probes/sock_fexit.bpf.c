/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface B: the returns of the functions below a socket's recvmsg and sendmsg (kernel 5.5, with BPF trampolines). The
 * first two and those of unix sockets are needed; the others exist where the kernel has the path.
 *
 * What was under way when the hooks were attached is not seen: a call that had been entered before returns unhooked. */
#define VOR_SCRATCH_MORE 16
#ifdef VOR_OLD
#define VOR_FOUND_SOCKETS
#else
#define VOR_COPIES 3
#endif
#define VOR_OWN_ENTRY
#define VOR_ARMED
#include "../include/anchor.h"
#include "../include/handler.h"
#include "message.h"
#include "connection.h"
#include "entry.h"
#include "nginx.h"
#include "sweep.h"
#include "process.h"

/* bpf_get_func_ret and bpf_get_func_arg_cnt came with bpf_loop (5.17). Before, every recvmsg has six arguments: the one between
 * length and flags (`nonblock`) went away in 5.19. */
#ifdef VOR_OLD
#define HAS_FUNCTION_RETURN false
#else
#define HAS_FUNCTION_RETURN true
#endif

#define SCRATCH_OF(hook) (SCRATCH_USERS + (hook))

/* One load from a fixed place of the context: the verifier takes no computed one, which is what the compiler likes. */
#define CONTEXT(n)                                                                                        \
	({                                                                                                \
		__u64 _value;                                                                             \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(_value) : "r"(ctx), "i"((n) * 8));           \
		_value;                                                                                   \
	})

/* What the function returned, which stands behind its arguments. */
#define RETURNED(arguments)                                                    \
	({                                                                     \
		__u64 _returned = 0;                                           \
		if (HAS_FUNCTION_RETURN)                                   \
			bpf_get_func_ret(ctx, &_returned);                     \
		else                                                           \
			_returned = CONTEXT(arguments);                        \
		(int)_returned;                                                \
	})

/* int f(sk, msg, len, [nonblock,] flags, addr_len), of which the last went away in 7.x. */
INLINE int received(void *ctx, struct sock *sk, __u32 hook)
{
	int flags = (int)CONTEXT(4);
	if (HAS_FUNCTION_RETURN && bpf_get_func_arg_cnt(ctx) <= 5)
		flags = (int)CONTEXT(3);
	return socket_io(sk, RETURNED(6), flags, DIR_RECV, SCRATCH_OF(hook));
}

/* Where programs can be preempted, several equal ones hang on a function instead of the one above, which they call: whichever
 * comes first of those that the kernel does not skip takes the operation. In which order they are called does not matter. */
#ifdef VOR_OLD
#define COPIES(function, first, socket, arguments, dir)
#else
INLINE bool taken(struct sock *sk, int ret, __u32 dir, __u32 copy)
{
	if (vor_hooks_seen != HOOKS_ALL)
		return false;
	if (ret <= 0)
		return true; /* an end that is seen twice is the same end */
	int kind = socket_kind(sk);
	struct conn *c = kind < 0 ? NULL : conn_of(sk, kind);
	if (!c || c->state == CONN_IGNORED)
		return false;
	if (counts_bytes(sk, c))
		return c->next_seq[dir] != stream_end(sk, dir);
	/* Has another taken one since this copy looked last, it was this one. */
	bool mine = c->taken[dir] == c->looked[dir][copy];
	if (mine)
		c->taken[dir]++;
	c->looked[dir][copy] = c->taken[dir];
	return mine;
}

#define COPY(function, n, first, socket, arguments, dir)                                              \
	SEC("fexit/" #function)                                                                       \
	int BPF_PROG(vor_after_##function##_##n, struct first)                                        \
	{                                                                                             \
		if (UNDISTURBED(taken(socket, RETURNED(arguments), dir, n - 1)))                      \
			bpf_tail_call(ctx, &vor_again_##function, 0);                                 \
		return 0;                                                                             \
	}
#define COPIES(function, first, socket, arguments, dir)                                               \
	AGAIN(function)                                                                               \
	COPY(function, 1, first, socket, arguments, dir)                                              \
	COPY(function, 2, first, socket, arguments, dir)                                              \
	COPY(function, 3, first, socket, arguments, dir)
#endif

#define RECEIVE(hook, function)                                                 \
	STEPS(function, "fexit/" #function, SCRATCH_OF(hook))                   \
	SEC("fexit/" #function)                                                 \
	int BPF_PROG(vor_##function, struct sock *sk)                           \
	{                                                                       \
		RUN(ctx, function, UNDISTURBED(received(ctx, sk, hook)));       \
	}                                                                       \
	COPIES(function, sock *sk, sk, 6, DIR_RECV)

/* `socket`: what the first argument is; `arguments`: how many; `flags`: of a receive. */
#define HOOK(hook, function, first, socket, arguments, flags, dir)                                            \
	STEPS(function, "fexit/" #function, SCRATCH_OF(hook))                                                 \
	SEC("fexit/" #function)                                                                               \
	int BPF_PROG(vor_##function, struct first)                                                            \
	{                                                                                                     \
		RUN(ctx, function, UNDISTURBED(socket_io(socket, RETURNED(arguments), flags, dir, SCRATCH_OF(hook)))); \
	}                                                                                                     \
	COPIES(function, first, socket, arguments, dir)

RECEIVE(0, tcp_recvmsg)
HOOK(1, tcp_sendmsg, sock *sk, sk, 3, 0, DIR_SEND)
/* Paths of their own: a socket in a sockmap, kernel TLS, MPTCP. */
HOOK(2, tcp_bpf_sendmsg, sock *sk, sk, 3, 0, DIR_SEND)
#ifdef VOR_CONN_HASH
/* A module's. Never with socket storage: kernels up to 6.12 at least look the function up among their own types when they check
 * that helper, find nothing, and crash (bpf_sk_storage_tracing_allowed). */
RECEIVE(3, tls_sw_recvmsg)
HOOK(4, tls_sw_sendmsg, sock *sk, sk, 3, 0, DIR_SEND)
#endif
RECEIVE(5, mptcp_recvmsg)
HOOK(6, mptcp_sendmsg, sock *sk, sk, 3, 0, DIR_SEND)
/* sendfile and splice into a socket until 6.4 (later they are sendmsg): int f(sk, page, offset, size, flags). */
HOOK(7, tcp_sendpage, sock *sk, sk, 5, 0, DIR_SEND)
#ifndef VOR_OLD /* each costs the old verifiers a third of a second */
HOOK(8, unix_stream_sendpage, socket *sock, sock->sk, 5, 0, DIR_SEND)
/* Bytes that left for a pipe: ssize_t f(sock, pos, pipe, len, flags). */
HOOK(9, tcp_splice_read, socket *sock, sock->sk, 5, 0, DIR_RECV)
HOOK(10, unix_stream_splice_read, socket *sock, sock->sk, 5, 0, DIR_RECV)
#endif
/* int f(sock, msg, len, flags), and without flags. */
HOOK(11, unix_stream_recvmsg, socket *sock, sock->sk, 4, (int)CONTEXT(3), DIR_RECV)
HOOK(12, unix_stream_sendmsg, socket *sock, sock->sk, 3, 0, DIR_SEND)

SEC("fentry/tcp_sendmsg")
int BPF_PROG(vor_send_entry, struct sock *sk)
{
	return UNDISTURBED(send_entry(sk, ~0ull));
}

char _license[] SEC("license") = "Dual MIT/GPL";
