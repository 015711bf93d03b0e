/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Parents inside one process: exact or none. */
#pragma once

#include "state.h"
#include "../maps/counters.h"

INLINE void evidence_thread_exit(__u32 tid)
{
}

INLINE void evidence_process_exit(__u32 tgid)
{
}
