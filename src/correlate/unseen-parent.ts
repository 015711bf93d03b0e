import type { Exchange } from '../model/exchange.ts'
import { EVIDENCE, HTTP_FLAG, ID_OFFSET, SPAN_ID_BYTES } from '../model/record.ts'
import { KEY } from '../model/semconv.ts'
import type { Span } from '../model/span.ts'
import type { ProcessTable } from './process-table.ts'

/**
 * Whether the server span's parent is a client span that is never exported, because the client's process is not selected
 * (the kernel joins before user space has told it so) or exports its traces itself.
 */
export function parentIsUnseen(exchange: Exchange, processes: ProcessTable, exclude: boolean): boolean {
	if (exchange.evidence !== EVIDENCE.sameHost || exchange.peerPid === 0) return false
	const peer = processes.find(exchange.peerPid, exchange.peerStartNs, exchange.startNs)
	if (peer === undefined) return false
	const { selection, exportsOtlp } = peer.fact
	if (selection === 'rejected') return true
	return exclude && (peer.exportsTraces || exportsOtlp === 'traces' || exportsOtlp === 'both')
}

/**
 * Takes that parent off. A request that carried a traceparent goes back to the parent it named; else the span is a root.
 * The trace id stays: what the server called on to has it already. The exchange's own bytes are left as they are.
 */
export function dropUnseenParent(span: Span): void {
	const { exchange } = span
	const ids = new Uint8Array(SPAN_ID_BYTES)
	ids.set(span.ids.subarray(span.idsAt, span.idsAt + ID_OFFSET.parentSpanId))
	if ((exchange.flags & HTTP_FLAG.traceparent) !== 0) {
		const at = exchange.idsAt + ID_OFFSET.headerSpanId
		ids.set(exchange.ids.subarray(at, at + 8), ID_OFFSET.parentSpanId)
	}
	span.ids = ids
	span.idsAt = 0
	const evidence = span.attributes.indexOf(KEY.vorParentEvidence)
	if (evidence >= 0) span.attributes.splice(evidence, 2)
}
