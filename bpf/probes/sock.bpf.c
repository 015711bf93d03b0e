/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface A: the tracepoints around a socket's recvmsg and sendmsg (kernel 6.3). Trusted socket pointers, no cost for
 * anything that is no socket I/O, every system call and io_uring in one place. */
#include "../include/anchor.h"
#include "../include/handler.h"
#include "connection.h"
#include "process.h"

/* -1 = none of ours; else whether it is TCP-like (has a close hook and socket storage). */
INLINE int socket_kind(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;
	if (sk->sk_type != VOR_SOCK_STREAM)
		return -1;
	if (family == VOR_AF_UNIX)
		return vor_capture_unix ? 0 : -1;
	if (family != VOR_AF_INET && family != VOR_AF_INET6)
		return -1;
	__u16 protocol = sk->sk_protocol;
	return protocol == VOR_IPPROTO_TCP || protocol == VOR_IPPROTO_MPTCP ? 1 : -1;
}

INLINE struct conn *conn_of(struct sock *sk, bool tcp)
{
	struct conn *c = conn_get(sk, tcp);
	if (c && (storage_form(tcp) || c->inode == sk->sk_socket->file->f_inode->i_ino))
		return c;
	__u64 inode = sk->sk_socket->file->f_inode->i_ino;
	if (!inode)
		return NULL; /* a kernel socket */
	if (c) {
		/* The address was used again: what was open on the old socket has no end. */
		struct http1 *h = http1_get(sk, tcp);
		if (h) {
			exchanges_finish(h, bpf_ktime_get_boot_ns(), VOR_HTTP_CLOSED, VOR_COUNT_MAX);
			http1_delete(sk, tcp);
		}
		conn_delete(sk, tcp);
	}
	c = conn_create(sk, tcp);
	if (!c) {
		count(VOR_COUNT_STATE_FULL);
		return NULL;
	}
	c->inode = inode;
	c->family = sk->__sk_common.skc_family;
	c->tcp = tcp;
	return c;
}

INLINE bool ends_connection(int ret)
{
	return ret == -VOR_EPIPE || ret == -VOR_ECONNABORTED || ret == -VOR_ECONNRESET || ret == -VOR_ETIMEDOUT;
}

INLINE int socket_io(struct sock *sk, int ret, int flags, __u32 dir, __u32 user)
{
	if (flags & VOR_MSG_PEEK)
		return 0;
	if (ret < 0 && !ends_connection(ret))
		return 0;
	int kind = socket_kind(sk);
	if (kind < 0)
		return 0;
	struct conn *c = conn_of(sk, kind);
	if (!c)
		return 0;
	if (ret <= 0) {
		/* Zero is the end of the stream only if the peer has shut its side: a read of no bytes gives zero, too. */
		if (ret < 0 || (dir == DIR_RECV && (sk->sk_shutdown & VOR_SHUTDOWN_RECEIVE)))
			on_end(sk, c, dir, ret, bpf_ktime_get_boot_ns());
		return 0;
	}
	struct scratch *s = scratch_get(user);
	if (!s)
		return 0;
	__u64 id = bpf_get_current_pid_tgid();
	if (!selected(c, id >> 32))
		return 0;
	if (c->state == CONN_IGNORED)
		return 0;
	s->io.sock = (__u64)sk;
	s->io.now = bpf_ktime_get_boot_ns();
	s->io.ret = ret;
	s->io.tid = (__u32)id;
	s->io.tgid = id >> 32;
	s->io.dir = dir;
	s->io.call = 0;
	io_from_syscall(&s->io, bpf_get_current_task_btf());
	if (flags & VOR_MSG_TRUNC)
		s->io.segments = 0;
	on_io(sk, c, s);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(vor_sock_recv, struct sock *sk, int ret, int flags)
{
	return socket_io(sk, ret, flags, DIR_RECV, SCRATCH_RECV);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(vor_sock_send, struct sock *sk, int ret, int flags)
{
	return socket_io(sk, ret, flags, DIR_SEND, SCRATCH_SEND);
}

char _license[] SEC("license") = "Dual MIT/GPL";
