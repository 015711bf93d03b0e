import type { AttributeList } from './attributes.ts'
import type { Exchange } from './exchange.ts'
import type { Resource } from './resource.ts'

/** OTLP numbers. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const
export const STATUS_CODE = { unset: 0, ok: 1, error: 2 } as const

/**
 * A finished span. `ebpf.correlate` makes it; `ebpf.propagate` may set the id fields and `remoteParent` (it owns the batch
 * then); after propagate it is frozen by agreement: everybody reads, nobody writes.
 */
export interface Span {
	name: string
	kind: number
	/** Boot-clock ns. `SpanBatch.clockOffset` turns it into Unix time. */
	startNs: number
	endNs: number
	resource: Resource
	statusCode: number
	statusMessage: string
	attributes: AttributeList
	/** Bytes with trace id (16), span id (8), parent span id (8) from `idsAt`. All-zero parent = root. */
	ids: Uint8Array
	idsAt: number
	/** W3C trace flags, bit 0 = sampled. */
	traceFlags: number
	traceState: string
	/** Parent lives in another process (OTLP flags bit 0x200); only meaningful with a parent. */
	remoteParent: boolean
	/** Low-cardinality route or '' (never the raw path). */
	route: string
	/** `error.type`, '' = no error. */
	errorType: string
	/** The exchange it was made of. */
	exchange: Exchange
	/** Suppressed signals: the target exports these itself, or routes say so. */
	skipTraces: boolean
	skipMetrics: boolean
}
