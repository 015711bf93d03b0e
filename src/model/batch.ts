import type { Exchange, FallbackCount, UnreadableConnection } from './exchange.ts'
import type { Metric } from './metric.ts'
import type { ProcessFact } from './process-fact.ts'
import type { Span } from './span.ts'

/** Unix time = boot-clock ns + offset. Two parts, so that nothing is lost: `seconds` whole, 0 ≤ `nanos` < 1e9. */
export interface ClockOffset {
	readonly seconds: number
	readonly nanos: number
}

/** What every batch carries along beside its items. */
interface BatchContext {
	/** Boot-clock ns when the batch was drained: the pipeline's time. No stage reads a clock of its own. */
	readonly timeNs: number
	readonly clockOffset: ClockOffset
	/** New and changed facts, to be taken in before the items. Each stage hands them on. */
	readonly processes: readonly ProcessFact[]
	readonly fallback: readonly FallbackCount[]
	readonly unreadable: readonly UnreadableConnection[]
}

/**
 * One drain. `bytes` is valid only during the synchronous `next` of the source: copy what you keep.
 * Records lie back to back, each with its `vor_record_header`; none is cut.
 */
export interface RawBatch extends Omit<BatchContext, 'unreadable'> {
	readonly bytes: Uint8Array
	readonly length: number
	readonly records: number
}

export interface ExchangeBatch extends BatchContext {
	readonly exchanges: readonly Exchange[]
}

/** At most 512 spans. */
export interface SpanBatch extends BatchContext {
	readonly spans: readonly Span[]
}

export interface MetricBatch {
	readonly metrics: readonly Metric[]
}
