/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface B: the returns of the functions below a socket's recvmsg and sendmsg (kernel 5.5, with BPF trampolines). The
 * first two and those of unix sockets are needed; the others exist where the kernel has the path.
 *
 * What was under way when the hooks were attached is not seen: a call that had been entered before returns unhooked. */
#define VOR_SCRATCH_MORE 16
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

/* bpf_get_func_ret and bpf_get_func_arg_cnt are there (5.17). Without them every recvmsg has six arguments: the one between
 * length and flags (`nonblock`) went away in 5.19. */
const volatile bool vor_has_function_return = true;

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
		if (vor_has_function_return)                                   \
			bpf_get_func_ret(ctx, &_returned);                     \
		else                                                           \
			_returned = CONTEXT(arguments);                        \
		(int)_returned;                                                \
	})

/* int f(sk, msg, len, [nonblock,] flags, addr_len) */
INLINE int received(void *ctx, struct sock *sk, __u32 hook)
{
	int flags = (int)CONTEXT(4);
	if (vor_has_function_return && bpf_get_func_arg_cnt(ctx) == 5)
		flags = (int)CONTEXT(3);
	return socket_io(sk, RETURNED(6), flags, DIR_RECV, SCRATCH_OF(hook));
}

#define RECEIVE(hook, function)                            \
	SEC("fexit/" #function)                            \
	int BPF_PROG(vor_##function, struct sock *sk)      \
	{                                                  \
		return received(ctx, sk, hook);            \
	}

#define SEND(hook, function, arguments)                                                                  \
	SEC("fexit/" #function)                                                                          \
	int BPF_PROG(vor_##function, struct sock *sk)                                                    \
	{                                                                                                \
		return socket_io(sk, RETURNED(arguments), 0, DIR_SEND, SCRATCH_OF(hook));           \
	}

RECEIVE(0, tcp_recvmsg)
SEND(1, tcp_sendmsg, 3)
/* Paths of their own: a socket in a sockmap, kernel TLS, MPTCP. */
SEND(2, tcp_bpf_sendmsg, 3)
RECEIVE(3, tls_sw_recvmsg)
SEND(4, tls_sw_sendmsg, 3)
RECEIVE(5, mptcp_recvmsg)
SEND(6, mptcp_sendmsg, 3)
/* sendfile and splice into a socket until 6.4; later they are sendmsg. */
SEND(7, tcp_sendpage, 5)

/* ssize_t f(sock, pos, pipe, len, flags): bytes that left for a pipe. */
SEC("fexit/tcp_splice_read")
int BPF_PROG(vor_tcp_splice_read, struct socket *sock)
{
	return socket_io(sock->sk, RETURNED(5), 0, DIR_RECV, SCRATCH_OF(8));
}

/* int f(sock, msg, len, flags) */
SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(vor_unix_stream_recvmsg, struct socket *sock, void *msg, __u64 length, int flags)
{
	return socket_io(sock->sk, RETURNED(4), flags, DIR_RECV, SCRATCH_OF(9));
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(vor_unix_stream_sendmsg, struct socket *sock)
{
	return socket_io(sock->sk, RETURNED(3), 0, DIR_SEND, SCRATCH_OF(10));
}

SEC("fexit/unix_stream_sendpage")
int BPF_PROG(vor_unix_stream_sendpage, struct socket *sock)
{
	return socket_io(sock->sk, RETURNED(5), 0, DIR_SEND, SCRATCH_OF(11));
}

SEC("fexit/unix_stream_splice_read")
int BPF_PROG(vor_unix_stream_splice_read, struct socket *sock)
{
	return socket_io(sock->sk, RETURNED(5), 0, DIR_RECV, SCRATCH_OF(12));
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(vor_send_entry, struct sock *sk)
{
	return send_entry(sk);
}

char _license[] SEC("license") = "Dual MIT/GPL";
