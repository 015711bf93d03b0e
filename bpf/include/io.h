/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* One socket operation as a surface hands it to the handler, and the user memory it moved. */
#pragma once

#include "common.h"

/* Segments of a vector looked at together; a longer vector is walked window by window, to the kernel's own limit. */
#define IO_SEGMENTS 8
#define IO_VECTOR_MAX 1024
#ifdef VOR_OLD
/* Windows of a vector that one read passes. */
#define IO_WINDOWS_MAX 1
#else
#define IO_WINDOWS_MAX (IO_VECTOR_MAX / IO_SEGMENTS)
#endif

struct io_segment {
	__u64 base;
	__u64 length;
};

struct io {
	__u64 sock;        /* address of struct sock: key of the hash form, never followed */
	__u64 now;         /* boot-clock ns, one reading per operation */
	__s32 ret;         /* bytes moved, 0 = end of stream (receive), < 0 = -errno */
	__u32 tid;
	__u32 tgid;
	__s32 fd;          /* file descriptor of the system call, -1 = not known */
	__u8 dir;          /* DIR_RECV or DIR_SEND */
	__u8 segments;     /* 0 = the bytes passed without a user buffer we can see (sendfile, splice, io_uring) */
	__u16 call;        /* which message of a recvmmsg or sendmmsg, else 0 */
	__u8 multi;        /* the call is recvmmsg or sendmmsg */
	__u32 multi_count; /* its vlen */
	__u32 after;       /* bytes of later messages of the same call: they have passed, too (surface D) */
	__u32 vector_count;/* segments of the whole vector; 0 = no vector, segment[0] is all */
	__u32 window;      /* index of segment[0] in it */
	__u32 window_at;   /* bytes of the operation before segment[0] */
	__u64 vector;      /* user address of the iovecs */
	struct io_segment segment[IO_SEGMENTS];
};

#if defined(__TARGET_ARCH_x86)
enum {
	NR_READ = 0, NR_WRITE = 1, NR_READV = 19, NR_WRITEV = 20, NR_SENDTO = 44, NR_RECVFROM = 45, NR_SENDMSG = 46,
	NR_RECVMSG = 47, NR_RECVMMSG = 299, NR_SENDMMSG = 307, NR_PREADV2 = 327, NR_PWRITEV2 = 328, NR_SENDFILE = 40, NR_SPLICE = 275,
};
#define REGS_NR(regs) KNOWN(regs, orig_ax)
#define REGS_1(regs) KNOWN(regs, di)
#define REGS_2(regs) KNOWN(regs, si)
#define REGS_3(regs) KNOWN(regs, dx)
#define REGS_4(regs) KNOWN(regs, r10)
/* The first argument when the call is over. */
#define REGS_FIRST(regs) KNOWN(regs, di)
#else
enum {
	NR_READ = 63, NR_WRITE = 64, NR_READV = 65, NR_WRITEV = 66, NR_SENDTO = 206, NR_RECVFROM = 207, NR_SENDMSG = 211,
	NR_RECVMSG = 212, NR_RECVMMSG = 243, NR_SENDMMSG = 269, NR_PREADV2 = 286, NR_PWRITEV2 = 287, NR_SENDFILE = 71, NR_SPLICE = 76,
};
#define REGS_NR(regs) KNOWN(regs, syscallno)
#define REGS_1(regs) KNOWN(regs, regs[0])
#define REGS_2(regs) KNOWN(regs, regs[1])
#define REGS_3(regs) KNOWN(regs, regs[2])
#define REGS_4(regs) KNOWN(regs, regs[3])
#define REGS_FIRST(regs) KNOWN(regs, orig_x0)
#endif

/* struct user_msghdr and struct mmsghdr as user space lays them out on 64 bits. */
#define MSGHDR_IOV 16
#define MMSGHDR_SIZE 64
#define MMSGHDR_LENGTH 56

/* Loads the window that begins with segment `first`. */
INLINE void io_window(struct io *io, __u32 first)
{
	__u64 count = io->vector_count - first;
	if (count > IO_SEGMENTS)
		count = IO_SEGMENTS;
	BOUND(count, 15);
	io->segments = 0;
	if (count > IO_SEGMENTS)
		return;
	if (bpf_probe_read_user(io->segment, count * sizeof(struct io_segment),
				(void *)(io->vector + (__u64)first * sizeof(struct io_segment))))
		return;
	io->segments = count;
	io->window = first;
}

INLINE void io_iovec(struct io *io, __u64 iov, __u64 count)
{
	io->vector = iov;
	io->vector_count = count > IO_VECTOR_MAX ? IO_VECTOR_MAX : count;
	io->window_at = 0;
	io_window(io, 0);
}

INLINE void io_msghdr(struct io *io, __u64 message)
{
	__u64 iov[2];
	if (bpf_probe_read_user(iov, sizeof(iov), (void *)(message + MSGHDR_IOV)) == 0)
		io_iovec(io, iov[0], iov[1]);
}

/* Registers of the system call the current task is in; NULL = it is in none. */
INLINE struct pt_regs *task_regs(void)
{
	struct task_struct *task = CURRENT();
	if (KNOWN(task, flags) & VOR_PF_NO_SYSCALL)
		return NULL;
#ifdef VOR_OLD
	/* bpf_task_pt_regs is of 5.15. Where it does not exist the registers lie at the very end of the stack. */
	return (struct pt_regs *)(BPF_CORE_READ(task, stack) + VOR_THREAD_SIZE - bpf_core_type_size(struct pt_regs));
#else
	return (struct pt_regs *)bpf_task_pt_regs(task);
#endif
}

/* The descriptor alone. */
INLINE void io_descriptor(struct io *io)
{
	struct pt_regs *regs = task_regs();
	io->fd = regs ? (__s32)REGS_1(regs) : -1;
}

/* Fills the segments from the registers of the system call the current task is in. The numbers are those of the 64-bit
 * table; none of them is a socket operation in the 32-bit one, so a 32-bit task has no segments, never wrong ones. */
ALONE int io_from_syscall(struct io *io)
{
	if (!io)
		return 0;
	io->segments = 0;
	io->vector_count = 0;
	io->multi = 0;
	io->fd = -1;
	struct pt_regs *regs = task_regs();
	if (!regs)
		return 0;
	__u64 nr = REGS_NR(regs), second = REGS_2(regs);
	io->fd = (__s32)REGS_1(regs);
	switch (nr) {
	case NR_READ:
	case NR_WRITE:
	case NR_RECVFROM:
	case NR_SENDTO:
		io->segment[0].base = second;
		io->segment[0].length = REGS_3(regs);
		io->segments = 1;
		break;
	case NR_READV:
	case NR_WRITEV:
	case NR_PREADV2:
	case NR_PWRITEV2:
		io_iovec(io, second, REGS_3(regs));
		break;
	case NR_RECVMSG:
	case NR_SENDMSG:
		io_msghdr(io, second);
		break;
	case NR_RECVMMSG:
	case NR_SENDMMSG:
		io->multi = 1;
		io->multi_count = (__u32)REGS_3(regs);
		io_msghdr(io, second + (__u64)(io->call & 1023) * MMSGHDR_SIZE);
		break;
	default:
		io->fd = -1;
	}
	return 0;
}

#define SCRATCH_BUFFER 4096
#define IO_READ_MAX 1024
