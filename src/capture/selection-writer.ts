import type { KernelSelection } from '../model/process-event.ts'
import type { KernelObject } from './kernel-object.ts'
import { SELECTION } from './layout.ts'
import type { CaptureStatistics } from './statistics.ts'

/** Tells the kernel which processes to capture: the only writer of `vor_processes`, whose entries end with 'forget'. */
export interface SelectionWriter {
	/** Returns whether one of them is a rejection. */
	write(selections: readonly KernelSelection[]): boolean
}

/** Or-ed into the kernel's selection of a process whose executable carries the nginx probe. */
const NGINX = 0x100

export function createSelectionWriter(
	kernel: KernelObject,
	statistics: Pick<CaptureStatistics, 'selectionFailures'>,
): SelectionWriter {
	const map = kernel.object.map('vor_processes')
	return {
		write(selections) {
			if (selections.length === 0) return false
			let rejected = false
			for (const { pid, selection, nginx } of selections) {
				const key = new Uint8Array(new Uint32Array([pid]).buffer)
				const state = selection === 'rejected' ? SELECTION.REJECTED : SELECTION.SELECTED
				rejected ||= selection === 'rejected'
				try {
					if (selection === 'forget' && !nginx) map.delete(key)
					else map.set(key, new Uint8Array(new Uint32Array([state | (nginx ? NGINX : 0)]).buffer))
				} catch {
					// The table is full: the process stays unknown, is captured, and filtered in user space.
					statistics.selectionFailures++
				}
			}
			kernel.bumpSelection()
			return rejected
		},
	}
}
