/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The rival of the kernel benchmarks: the classic way, a pair of syscall tracepoints a call, as small as it can be made.
 * Enter keeps the buffer, exit copies the first 128 bytes of what was moved, tells HTTP from the rest, and sends one
 * record a request and one a response. It keeps a state by (process, descriptor) and parses nothing further. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define COPY 128

struct enter {
	__u64 common;
	long id;
	unsigned long args[6];
};
struct leave {
	__u64 common;
	long id;
	long ret;
};
struct pending {
	unsigned long fd;
	unsigned long buffer;
	__u32 vector;
	__u32 pad;
};
struct record {
	__u64 time_ns;
	__u32 tgid;
	__u32 fd;
	__u64 length;
	char bytes[COPY];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u64);
	__type(value, struct pending);
} pending SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

static __always_inline int on_enter(struct enter *ctx, __u32 vector)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct pending p = { .fd = ctx->args[0], .buffer = ctx->args[1], .vector = vector };

	bpf_map_update_elem(&pending, &id, &p, BPF_ANY);
	return 0;
}

static __always_inline int on_leave(struct leave *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), key;
	struct pending *p = bpf_map_lookup_elem(&pending, &id), saved;
	char head[8] = {};

	if (!p)
		return 0;
	saved = *p;
	bpf_map_delete_elem(&pending, &id);
	if (ctx->ret < 8)
		return 0;
	if (saved.vector == 2 && bpf_probe_read_user(&saved.buffer, 8, (void *)(saved.buffer + 16)))
		return 0;
	if (saved.vector && bpf_probe_read_user(&saved.buffer, 8, (void *)saved.buffer))
		return 0;
	if (bpf_probe_read_user(head, sizeof head, (void *)saved.buffer))
		return 0;
	if (!(head[0] == 'H' && head[1] == 'T' && head[2] == 'T' && head[3] == 'P') &&
	    !(head[0] == 'G' && head[1] == 'E' && head[2] == 'T') && !(head[0] == 'P' && head[1] == 'O'))
		return 0;
	key = (id & 0xffffffff00000000ull) | (__u32)saved.fd;
	__u64 time = bpf_ktime_get_boot_ns(), *known = bpf_map_lookup_elem(&connections, &key);
	if (known)
		*known = time;
	else
		bpf_map_update_elem(&connections, &key, &time, BPF_ANY);
	struct record *r = bpf_ringbuf_reserve(&ring, sizeof *r, 0);
	if (!r)
		return 0;
	r->time_ns = time;
	r->tgid = id >> 32;
	r->fd = saved.fd;
	r->length = ctx->ret;
	__u32 n = ctx->ret < COPY ? ctx->ret : COPY;
	asm volatile("%0 &= 0xff" : "+r"(n));
	if (n > COPY)
		n = COPY;
	bpf_probe_read_user(r->bytes, n, (void *)saved.buffer);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

#define CALL(name, vector)                                                                                           \
	SEC("tracepoint/syscalls/sys_enter_" #name) int enter_##name(struct enter *ctx)                              \
	{                                                                                                            \
		return on_enter(ctx, vector);                                                                        \
	}                                                                                                            \
	SEC("tracepoint/syscalls/sys_exit_" #name) int exit_##name(struct leave *ctx)                                \
	{                                                                                                            \
		return on_leave(ctx);                                                                                \
	}

CALL(read, 0)
CALL(write, 0)
CALL(recvfrom, 0)
CALL(sendto, 0)
CALL(readv, 1)
CALL(writev, 1)
CALL(recvmsg, 2)
CALL(sendmsg, 2)
