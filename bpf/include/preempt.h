/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What a hook does is done before another task gets its CPU.
 *
 * Up to 6.19 the kernel saw to that where it calls the programs of a tracepoint. Since 7.0 it does not (fexit: never did): a
 * task can be preempted within a program, and then the kernel skips that program for every other task on this CPU
 * (recursion_misses). A program can forbid it while it works, but what wants the CPU meanwhile gets it in the moment the
 * program allows it again, still within the program. So others do skip it: more programs on the same hook take over
 * (probes/after.h), and what passes them, too, is told by the sequence numbers (unseen_bytes in handler.h). */
#pragma once

#include "common.h"

/* Set before load where the kernel lets tracepoints' programs be preempted. */
const volatile bool vor_preemptible = false;

#ifdef VOR_OLD
#define UNDISTURBED(expression) (expression)
#else
extern void bpf_preempt_disable(void) __ksym __weak; /* kernel 6.10 */
extern void bpf_preempt_enable(void) __ksym __weak;

#define UNDISTURBED(expression)                                                                    \
	({                                                                                         \
		bool _held = vor_preemptible && bpf_preempt_disable && bpf_preempt_enable;         \
		if (_held)                                                                         \
			bpf_preempt_disable();                                                     \
		int _result = (expression);                                                        \
		if (_held)                                                                         \
			bpf_preempt_enable();                                                      \
		_result;                                                                           \
	})
#endif
