/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* One program a kind of attachment; each counts its runs in its own slot. */
#include "common.h"
#include <bpf/usdt.bpf.h>

enum { AT_FENTRY, AT_FEXIT, AT_KPROBE, AT_KRETPROBE, AT_UPROBE, AT_URETPROBE, AT_USDT, AT_SOCKOPS, AT_MSG, AT_SKB, AT_CGROUP, AT_TC, AT_COOKIE, AT_ARGUMENT, AT_RESULT, AT_MAX };

__u64 counts[16];

static __always_inline void count(int at)
{
	__sync_fetch_and_add(&counts[at], 1);
}

SEC("fentry/bpf_fentry_test1")
int bpfl_fentry(void *ctx) { count(AT_FENTRY); return 0; }

SEC("fexit/bpf_fentry_test1")
int bpfl_fexit(void *ctx) { count(AT_FEXIT); return 0; }

SEC("kprobe/__x64_sys_getppid")
int bpfl_kprobe(struct pt_regs *ctx) { if (is_own()) count(AT_KPROBE); return 0; }

SEC("kretprobe/__x64_sys_getppid")
int bpfl_kretprobe(struct pt_regs *ctx) { if (is_own()) count(AT_KRETPROBE); return 0; }

SEC("uprobe")
int bpfl_uprobe(struct pt_regs *ctx)
{
	if (!is_own()) return 0;
	count(AT_UPROBE);
	counts[AT_COOKIE] = bpf_get_attach_cookie(ctx);
	counts[AT_ARGUMENT] = PT_REGS_PARM1(ctx);
	return 0;
}

SEC("uretprobe")
int bpfl_uretprobe(struct pt_regs *ctx)
{
	if (!is_own()) return 0;
	count(AT_URETPROBE);
	counts[AT_RESULT] = PT_REGS_RC(ctx);
	return 0;
}

SEC("usdt")
int bpfl_usdt(struct pt_regs *ctx)
{
	long argument = 0;
	if (!is_own()) return 0;
	count(AT_USDT);
	bpf_usdt_arg(ctx, 0, &argument);
	counts[AT_ARGUMENT] = argument;
	counts[AT_COOKIE] = bpf_usdt_cookie(ctx);
	return 0;
}

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; __u64 session_id; __u64 seq_num; } __attribute__((preserve_access_index));
struct task_struct { int pid; int tgid; } __attribute__((preserve_access_index));
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } __attribute__((preserve_access_index));
struct bpf_map;
struct bpf_iter__bpf_map_elem { struct bpf_iter_meta *meta; struct bpf_map *map; void *key; void *value; } __attribute__((preserve_access_index));

SEC("iter/task")
int bpfl_iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u32 pair[2];
	if (!task) return 0;
	pair[0] = task->tgid;
	pair[1] = task->pid;
	bpf_seq_write(ctx->meta->seq, pair, sizeof(pair));
	return 0;
}

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 16); __type(key, __u32); __type(value, __u64); } walked SEC(".maps");

SEC("iter/bpf_map_elem")
int bpfl_iter_map(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *value = ctx->value;
	if (!ctx->key || !value) return 0;
	bpf_seq_write(ctx->meta->seq, value, sizeof(*value));
	return 0;
}

struct { __uint(type, BPF_MAP_TYPE_SOCKHASH); __uint(max_entries, 8); __type(key, __u32); __type(value, __u64); } socks SEC(".maps");

SEC("sockops")
int bpfl_sockops(struct bpf_sock_ops *ctx) { count(AT_SOCKOPS); return 1; }

SEC("sk_msg")
int bpfl_sk_msg(struct sk_msg_md *ctx) { count(AT_MSG); return SK_PASS; }

SEC("sk_skb/stream_verdict")
int bpfl_sk_skb(struct __sk_buff *ctx) { count(AT_SKB); return SK_PASS; }

SEC("cgroup_skb/egress")
int bpfl_cgroup(struct __sk_buff *ctx) { count(AT_CGROUP); return 1; }

SEC("tc")
int bpfl_tc(struct __sk_buff *ctx) { count(AT_TC); return 0; }
