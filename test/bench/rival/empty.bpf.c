/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* A program that does nothing, where ours hang: what the kernel's statistics show for it is what their clock costs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/sock_send_length")
int empty(void *ctx)
{
	return 0;
}
