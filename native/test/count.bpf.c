/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The program of the README's example. */
#include "common.h"

__u64 calls;

SEC("raw_tp/sys_enter")
int count(void *ctx)
{
	if (is_own()) __sync_fetch_and_add(&calls, 1);
	return 0;
}
