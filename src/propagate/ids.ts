import { ID_OFFSET, SPAN_ID_BYTES } from '../model/record.ts'
import type { Span } from '../model/span.ts'

export function sameTrace(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean {
	for (let i = 0; i < 16; i++) if (a[aAt + i] !== b[bAt + i]) return false
	return true
}

export function hasParent(span: Span): boolean {
	const at = span.idsAt + ID_OFFSET.parentSpanId
	for (let i = 0; i < 8; i++) if (span.ids[at + i] !== 0) return true
	return false
}

/** Trace ids as map keys on cold paths: one character a byte. */
export function traceKey(ids: Uint8Array, at: number): string {
	return String.fromCharCode.apply(undefined, ids.subarray(at, at + 16) as unknown as number[])
}

/**
 * Gives the span id bytes of its own, with another trace id or parent. Never in place: the exchange and copies of the span
 * look at the old ones.
 */
export function reidentify(
	span: Span,
	trace: Uint8Array,
	traceAt: number,
	parent: Uint8Array | undefined,
	parentAt: number,
): void {
	const ids = new Uint8Array(SPAN_ID_BYTES)
	ids.set(trace.subarray(traceAt, traceAt + 16), ID_OFFSET.traceId)
	const spanAt = span.idsAt + ID_OFFSET.spanId
	ids.set(span.ids.subarray(spanAt, spanAt + 8), ID_OFFSET.spanId)
	if (parent !== undefined) ids.set(parent.subarray(parentAt, parentAt + 8), ID_OFFSET.parentSpanId)
	span.ids = ids
	span.idsAt = 0
}
