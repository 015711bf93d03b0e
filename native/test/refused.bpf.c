/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* A program the verifier refuses, beside one it accepts. */
#include "common.h"

SEC("raw_tp/sys_enter")
int bpfl_bad(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 *wild = (void *)ctx->args[0];
	return *wild == 42;
}

SEC("raw_tp/sys_enter")
int bpfl_good(void *ctx)
{
	return 0;
}
