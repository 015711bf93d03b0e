/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* nginx: ngx_chain_writer(void *data, ngx_chain_t *in) writes a request to an upstream, on the thread that handles it. Its
 * argument leads to the upstream connection, from there to the request and to its downstream connection:
 *
 *   ngx_chain_writer_ctx_t { ngx_chain_t *out; ngx_chain_t **last; ngx_connection_t *connection; … }   connection at 16
 *   ngx_connection_t { void *data; ngx_event_t *read, *write; ngx_socket_t fd; … }                     fd at 24
 *   ngx_http_request_t { uint32_t signature; ngx_connection_t *connection; … }                         connection at 8
 *
 * The layout has been this since nginx 1.0; the signature is checked, so another module's data is never taken for a request.
 *
 * Where to attach: ngx_chain_writer is in nginx's dynamic symbols. Its first argument is in the first argument register
 * until the prologue overwrites it, and the probed instruction should be one the kernel emulates (push, nop, a relative
 * jump or call): another costs a single step, some 30 us on a virtual machine. User space picks the first such
 * instruction of the straight-line prologue, else the entry. */
#pragma once

#include "../include/evidence.h"

#define NGX_HTTP_SIGNATURE 0x50545448u

#if defined(__TARGET_ARCH_x86)
#define UPROBE_ARGUMENT_1(regs) ((regs)->di)
#else
#define UPROBE_ARGUMENT_1(regs) ((regs)->regs[0])
#endif

INLINE __u64 user_pointer(__u64 at)
{
	__u64 value = 0;
	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return value;
}

SEC("uprobe")
int vor_nginx_chain_writer(struct pt_regs *regs)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 upstream = user_pointer(UPROBE_ARGUMENT_1(regs) + 16);
	__u64 request = user_pointer(upstream);
	__u32 signature = 0;
	struct nginx_call call = {.upstream_fd = -1, .downstream_fd = -1};
	bpf_probe_read_user(&signature, sizeof(signature), (void *)request);
	if (signature == NGX_HTTP_SIGNATURE) {
		__u64 downstream = user_pointer(request + 8);
		bpf_probe_read_user(&call.upstream_fd, sizeof(call.upstream_fd), (void *)(upstream + 24));
		bpf_probe_read_user(&call.downstream_fd, sizeof(call.downstream_fd), (void *)(downstream + 24));
	}
	bpf_map_update_elem(&vor_nginx_calls, &tid, &call, BPF_ANY);
	return 0;
}
