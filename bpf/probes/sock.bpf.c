/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Surface A: the tracepoints around a socket's recvmsg and sendmsg (kernel 6.3). Trusted socket pointers, no cost for
 * anything that is no socket I/O, every system call and io_uring in one place. */
#include "../include/anchor.h"
#include "../include/handler.h"
#include "message.h"
#include "connection.h"
#include "entry.h"
#include "nginx.h"
#include "sweep.h"
#include "process.h"

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
