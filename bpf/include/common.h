/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What every file of the kernel side includes: kernel types, helpers, the contract, and a few small tools. */
#pragma once

#include "kernel.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "../events.h"

#define INLINE static __always_inline
/* A function the verifier checks once, by itself (global in its terms): what it returns is unknown to the caller, so
 * its loops never multiply with the caller's paths. Pointer arguments may be NULL as far as the verifier knows. */
#ifdef VOR_OLD
/* Before 5.13 such a function takes no memory: there it is verified in each of its callers. */
#define ALONE static __attribute__((noinline, unused))
#else
#define ALONE __attribute__((noinline))
#endif

/* Keeps a value the verifier must see bounded from being widened again by the compiler. */
#define BOUND(value, mask) asm volatile("%0 &= %1" : "+r"(value) : "i"(mask))
/* Hides from the compiler where a value came from, so that it cannot undo a bound. */
#define OPAQUE(value) asm volatile("" : "+r"(value))

/* A field behind any number of pointers: FIELD(sk, sk_socket, file, f_flags). Surfaces that are given a socket which the
 * verifier knows read it directly; those that found its address themselves (VOR_FOUND_SOCKETS) through a helper. */
#ifdef VOR_FOUND_SOCKETS
#define FIELD(first, ...) BPF_CORE_READ(first, __VA_ARGS__)
#else
#define FIELD(first, ...) ___arrow(first, __VA_ARGS__)
#endif

/* The same for pointers that the verifier knows on every surface: the current task and what hangs on it. Before 5.11 it
 * knows none of them. */
#ifdef VOR_OLD
#define KNOWN(first, ...) BPF_CORE_READ(first, __VA_ARGS__)
#define CURRENT() ((struct task_struct *)bpf_get_current_task())
#else
#define KNOWN(first, ...) ___arrow(first, __VA_ARGS__)
#define CURRENT() bpf_get_current_task_btf()
#endif

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* Direction of bytes as this socket sees it; also the index of the hook that writes the matching half of the state. */
#define DIR_RECV 0
#define DIR_SEND 1

/* Repeats step(i, context) until it returns non-zero. bpf_loop verifies the step once (kernel 5.17); the bounded loop
 * is for older kernels, whose objects are built without VOR_BPF_LOOP. */
#ifdef VOR_BPF_LOOP
#define REPEAT(count, step, context) bpf_loop(count, step, context, 0)
#else
#define REPEAT(count, step, context)                     \
	do {                                             \
		for (__u32 _i = 0; _i < (count); _i++)   \
			if (step(_i, context))           \
				break;                   \
	} while (0)
#endif

INLINE __u16 swap16(__u16 value)
{
	return __builtin_bswap16(value);
}
