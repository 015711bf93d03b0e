/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What the test programs share. They look at one process only: the one whose pid the test sets. */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u32 own_pid = 0;

static __always_inline int is_own(void)
{
	return (bpf_get_current_pid_tgid() >> 32) == own_pid;
}
