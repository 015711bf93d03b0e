/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Knobs set before load (const volatile) and the words shared with user space while loaded. */
#pragma once

#include "common.h"

/* Our own process: never captured. */
const volatile __u32 vor_self_tgid = 0;
/* Unix stream sockets are captured too. */
const volatile bool vor_capture_unix = true;

/* User space adds one after every change of vor_processes; connections cache the verdict of one generation. */
volatile __u32 vor_selection_generation = 0;
