import { ID_OFFSET } from '../model/record.ts'
import type { Span } from '../model/span.ts'
import { reidentify, traceKey } from './ids.ts'

/**
 * Trace ids that were replaced before any span of them was exported. Whatever still comes out of the kernel with the old id
 * (a child that ended after its parent) follows into the new trace.
 */
export interface TraceRenames {
	/** `endNs`: end of the renamed server span: its in-process children all began before. */
	add(oldIds: Uint8Array, oldAt: number, newIds: Uint8Array, newAt: number, endNs: number): void
	/** Moves the span where its trace id was replaced. True: it was moved. */
	follow(span: Span): boolean
	/** A rename that could concern a span with this start was forgotten. */
	mayHaveForgotten(startNs: number): boolean
	advance(timeNs: number): void
	readonly size: number
}

interface Rename {
	readonly ids: Uint8Array
	readonly at: number
	readonly endNs: number
}

const MOST = 65_536
const KEPT_NS = 600e9

export function createTraceRenames(): TraceRenames {
	const renames = new Map<string, Rename>()
	let forgottenNs = 0

	function forget(key: string, rename: Rename): void {
		renames.delete(key)
		forgottenNs = Math.max(forgottenNs, rename.endNs)
	}

	return {
		add(oldIds, oldAt, newIds, newAt, endNs) {
			if (renames.size >= MOST) {
				const [key, rename] = renames.entries().next().value!
				forget(key, rename)
			}
			renames.set(traceKey(oldIds, oldAt), { ids: newIds, at: newAt, endNs })
		},
		follow(span) {
			if (renames.size === 0) return false
			const rename = renames.get(traceKey(span.ids, span.idsAt))
			if (rename === undefined) return false
			reidentify(span, rename.ids, rename.at, span.ids, span.idsAt + ID_OFFSET.parentSpanId)
			return true
		},
		mayHaveForgotten: (startNs) => startNs <= forgottenNs,
		advance(timeNs) {
			for (const [key, rename] of renames) {
				if (timeNs - rename.endNs < KEPT_NS) return
				forget(key, rename)
			}
		},
		get size() {
			return renames.size
		},
	}
}
