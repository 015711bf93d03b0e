/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface A: the tracepoints around a socket's recvmsg and sendmsg (kernel 6.3). Trusted socket pointers, no cost for
 * anything that is no socket I/O, every system call and io_uring in one place. */
#include "../include/anchor.h"
#include "../include/handler.h"
#include "socket.h"
#include "connection.h"
#include "entry.h"
#include "nginx.h"
#include "sweep.h"
#include "process.h"

INLINE bool ends_connection(int ret)
{
	return ret == -VOR_EPIPE || ret == -VOR_ECONNABORTED || ret == -VOR_ECONNRESET || ret == -VOR_ETIMEDOUT;
}

/* recvmmsg and sendmmsg pass here once a message with the same registers: the connection counts. The call ends with its
 * last message, an error, or a message sent in part. */
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
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	__u64 nr = REGS_NR(regs);
	if (nr != NR_RECVMMSG && nr != NR_SENDMMSG)
		return;
	int kind = socket_kind(sk);
	struct conn *c = kind < 0 ? NULL : conn_get(sk, kind);
	if (c)
		c->multi[dir] = 0;
}

INLINE int socket_io(struct sock *sk, int ret, int flags, __u32 dir, __u32 user)
{
	if (vor_hooks_seen != HOOKS_ALL) {
		FETCH_OR(&vor_hooks_seen, 1u << dir);
		return 0;
	}
	if (flags & VOR_MSG_PEEK)
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
		/* Zero is the end of the stream only if the peer has shut its side: a read of no bytes gives zero, too. */
		if (ret < 0 || (dir == DIR_RECV && (sk->sk_shutdown & VOR_SHUTDOWN_RECEIVE)))
			on_end(sk, c, dir, ret, bpf_ktime_get_boot_ns());
		return 0;
	}
	struct scratch *s = scratch_get(user);
	if (!s)
		return 0;
	__u64 id = bpf_get_current_pid_tgid();
	if (!selected(c, id >> 32)) {
		reject(sk, c);
		return 0;
	}
	if (c->state == CONN_IGNORED)
		return 0;
	s->io.sock = (__u64)sk;
	s->io.now = bpf_ktime_get_boot_ns();
	s->io.ret = ret;
	s->io.tid = (__u32)id;
	s->io.tgid = id >> 32;
	s->io.dir = dir;
	s->io.call = c->multi[dir];
	io_from_syscall(&s->io);
	if (s->io.multi || s->io.call)
		multi_next(c, &s->io);
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
