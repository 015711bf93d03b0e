/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Knobs set before load (const volatile) and the words shared with user space while loaded. */
#pragma once

#include "common.h"

/* Our own process: never captured. */
const volatile __u32 vor_self_tgid = 0;
/* Unix stream sockets are captured too. */
const volatile bool vor_capture_unix = true;

/* A process missing from vor_processes is captured. Off: only the selected are. */
const volatile bool vor_capture_unknown = true;

/* Set bit by bit when the receive and the send hook first run. Hooks are attached one after the other: an exchange half
 * of which passed in between would leave its connection one response behind for good. Nothing is looked at before both
 * have run. */
__u32 vor_hooks_seen = 0;
#define HOOKS_ALL 3

/* User space adds one after every change of vor_processes; connections cache the verdict of one generation. */
volatile __u32 vor_selection_generation = 0;
