/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* vor_processes: tgid -> enum vor_selection, with VOR_PROCESS_NGINX or-ed in where the nginx probe is attached. Written and
 * deleted by user space alone. A process that is missing is unknown and is captured. 65 536 is twice the usual pid_max of
 * a small machine; entries are 8 bytes. */
#pragma once

#include "../include/globals.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} vor_processes SEC(".maps");
