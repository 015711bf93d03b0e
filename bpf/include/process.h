/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Whose operation it is, and whether we are asked to look. */
#pragma once

#include "state.h"
#include "../maps/processes.h"

INLINE void process_key(struct vor_process_key *key, struct task_struct *task)
{
	key->tgid = KNOWN(task, tgid);
	key->_pad = 0;
	key->start_ns = KNOWN(task, group_leader, start_boottime);
}

/* The verdict for this process, cached in the connection until user space changes a selection. */
INLINE bool selected(struct conn *c, __u32 tgid)
{
	__u32 generation = vor_selection_generation + 1;
	if (c->generation == generation && c->tgid == tgid)
		return c->state != CONN_REJECTED;
	__u32 *verdict = bpf_map_lookup_elem(&vor_processes, &tgid);
	__u32 value = verdict ? *verdict : vor_capture_unknown ? VOR_SELECT_UNKNOWN : VOR_SELECT_REJECTED;
	c->generation = generation;
	c->tgid = tgid;
	c->selection = value >> 8;
	if (tgid == vor_self_tgid || (value & 0xff) == VOR_SELECT_REJECTED)
		return false;
	if (c->state == CONN_REJECTED)
		c->state = CONN_NEW;
	return true;
}
