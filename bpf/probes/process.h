/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Processes: a new program image, a new thread group, the end of one. An exec says all that can be said of a program
 * that lives ten milliseconds; /proc only adds to it. */
#pragma once

#include "../include/preempt.h"
#include "../include/process.h"
#include "../include/evidence.h"
#include "../maps/process_ring.h"
#include "../maps/scratch.h"

/* Bytes of the environment searched for OTEL_ variables. */
#ifdef VOR_OLD
#define ENV_SEARCHED 1000
#define ENV_LINES 40
#else
#define ENV_SEARCHED 4000
#define ENV_LINES 256
#endif

struct env_walk {
	struct scratch *s;
	struct vor_exec_record *record;
};

/* One step: eight bytes without an end of string, or up to the next one. */
static long env_step(__u32 i, struct env_walk *w)
{
	struct scratch *s = w->s;
	__u64 at = s->scan;
	BOUND(at, 4095);
	if (at >= s->end || at > ENV_SEARCHED)
		return 1;
	__u64 x = *(__u64 *)(s->buffer + at);
	__u64 found = ~(((x & 0x7f7f7f7f7f7f7f7full) + 0x7f7f7f7f7f7f7f7full) | x | 0x7f7f7f7f7f7f7f7full);
	if (!found) {
		s->scan = at + 8;
		return 0;
	}
	if (!(found & 0xffffffffull)) {
		at += 4;
		found >>= 32;
	}
	if (!(found & 0xffff)) {
		at += 2;
		found >>= 16;
	}
	if (!(found & 0xff))
		at++;
	if (at >= s->end)
		return 1;
	__u64 line = s->line, n = at + 1 - line, length = s->stop;
	s->line = at + 1;
	s->scan = at + 1;
	BOUND(line, 4095);
	if (line > ENV_SEARCHED || *(__u32 *)(s->buffer + line) != 0x4c45544f || s->buffer[line + 4] != '_')
		return 0;
	if (n > VOR_EXEC_ENV_MAX || n + length > VOR_EXEC_ENV_MAX) {
		w->record->env_truncated = 1;
		return 0;
	}
	BOUND(n, 1023);
	BOUND(length, 1023);
	if (n > VOR_EXEC_ENV_MAX)
		return 0;
	/* Through the scratch buffer's upper half: the ring's memory takes no two unknown offsets at once. */
	bpf_probe_read_kernel(s->collected + length, n, s->buffer + line);
	s->stop = length + n;
	return 0;
}

INLINE void exec_environment(struct vor_exec_record *record, struct scratch *s, struct mm_struct *mm)
{
	__u64 start = mm->env_start, size = mm->env_end - start;
	record->env_truncated = 0;
	record->env_len = 0;
	if (size > ENV_SEARCHED) {
		size = ENV_SEARCHED;
		record->env_truncated = 1;
	}
	BOUND(size, 4095);
	if (size > ENV_SEARCHED || !size || bpf_probe_read_user(s->buffer, size, (void *)start))
		return;
	*(__u64 *)(s->buffer + size) = ~0ull;
	s->end = size;
	s->scan = s->line = s->stop = 0;
	struct env_walk w = {.s = s, .record = record};
	REPEAT(ENV_SEARCHED / 8 + ENV_LINES, env_step, &w);
	if (s->scan < s->end && s->end == ENV_SEARCHED)
		record->env_truncated = 1;
	if (s->stop && s->stop <= VOR_EXEC_ENV_MAX) {
		bpf_probe_read_kernel(record->env, VOR_EXEC_ENV_MAX, s->collected);
		record->env_len = s->stop;
	}
}

INLINE void exec_filename(struct vor_exec_record *record, struct scratch *s, const char *filename)
{
	record->filename_len = 0;
	long n = bpf_probe_read_kernel_str(s->buffer, 1024, filename);
	if (n <= 1)
		return;
	__u64 from = 0, length = n - 1;
	if (length > VOR_FILENAME_MAX) {
		from = length - VOR_FILENAME_MAX;
		length = VOR_FILENAME_MAX;
	}
	BOUND(from, 1023);
	bpf_probe_read_kernel(record->filename, VOR_FILENAME_MAX, s->buffer + from);
	record->filename_len = length;
}

INLINE __u32 pid_namespace_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid upid = {};
	bpf_probe_read_kernel(&upid, bpf_core_type_size(struct upid),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      (__u64)level * bpf_core_type_size(struct upid));
	return BPF_CORE_READ(upid.ns, ns.inum);
}

INLINE int exec_record(struct task_struct *task, struct linux_binprm *bprm)
{
	struct scratch *s = scratch_get(SCRATCH_PROCESS);
	if (!s)
		return 0;
	struct vor_exec_record *record = process_reserve(struct vor_exec_record, VOR_RECORD_EXEC);
	if (!record)
		return 0;
	struct mm_struct *mm = task->mm;
	process_key(&record->process, task);
	record->time_ns = bpf_ktime_get_boot_ns();
	record->exe_inode = bprm->file->f_inode->i_ino;
	record->exe_dev = bprm->file->f_inode->i_sb->s_dev;
	record->ppid = task->real_parent->tgid;
	record->netns = task->nsproxy->net_ns->ns.inum;
	record->pidns = pid_namespace_of(task);
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), task->comm);
	exec_filename(record, s, bprm->filename);
	__u64 size = mm->arg_end - mm->arg_start;
	if (size > VOR_EXEC_ARGS_MAX)
		size = VOR_EXEC_ARGS_MAX;
	BOUND(size, 1023);
	record->args_len = 0;
	if (size <= VOR_EXEC_ARGS_MAX && bpf_probe_read_user(record->args, size, (void *)mm->arg_start) == 0)
		record->args_len = size;
	exec_environment(record, s, mm);
	bpf_ringbuf_submit(record, process_ring_flags());
	return 0;
}

/* That the old image (a shell, the child of a rejected program) was rejected says nothing about the new one. Last of all: user
 * space that rejects the old one after this finds the record of the new one. */
INLINE int executed(struct task_struct *task, struct linux_binprm *bprm)
{
	exec_record(task, bprm);
	__u32 tgid = task->tgid, *verdict = bpf_map_lookup_elem(&vor_processes, &tgid);
	if (verdict && (*verdict & 0xff) == VOR_SELECT_REJECTED)
		bpf_map_delete_elem(&vor_processes, &tgid);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(vor_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	return UNDISTURBED(executed(task, bprm));
}

INLINE int forked(struct task_struct *parent, struct task_struct *child)
{
	if (child->pid != child->tgid)
		return 0;
	struct vor_fork_record *record = process_reserve(struct vor_fork_record, VOR_RECORD_FORK);
	if (!record)
		return 0;
	process_key(&record->process, child);
	process_key(&record->parent, parent);
	record->time_ns = bpf_ktime_get_boot_ns();
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), child->comm);
	bpf_ringbuf_submit(record, process_ring_flags());
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(vor_fork, struct task_struct *parent, struct task_struct *child)
{
	return UNDISTURBED(forked(parent, child));
}

INLINE int exited(struct task_struct *task)
{
	evidence_thread_exit(task->pid);
	/* Threads that have not begun to exit: the last one takes the process with it. */
	if (task->signal->live.counter)
		return 0;
	evidence_process_exit(task->tgid);
	struct vor_exit_record *record = process_reserve(struct vor_exit_record, VOR_RECORD_EXIT);
	if (!record)
		return 0;
	process_key(&record->process, task);
	record->time_ns = bpf_ktime_get_boot_ns();
	record->exit_code = task->exit_code;
	record->_pad = 0;
	bpf_ringbuf_submit(record, process_ring_flags());
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(vor_exit, struct task_struct *task)
{
	return UNDISTURBED(exited(task));
}
