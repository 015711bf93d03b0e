import type { Observer } from 'rxjs'
import type { ExchangeBatch, MetricBatch, RawBatch, SpanBatch } from '../model/batch.ts'

/** The receiving end of a stage, as it travels through the configuration language inside a capsule. */
export type Port = RecordConsumer | ExchangeConsumer | SpanConsumer | TelemetryConsumer

interface PortBase {
	/** Node id of the component that owns it, for diagnostics and the graph. */
	readonly owner: string
	/** The stage changes items in place: fan-out copies for it. */
	readonly mutates: boolean
}

/** `ebpf.RecordConsumer`: input of `ebpf.decode`. */
export interface RecordConsumer extends PortBase {
	readonly kind: 'records'
	readonly records: Observer<RawBatch>
}

/** `ebpf.ExchangeConsumer`: input of `ebpf.correlate`. */
export interface ExchangeConsumer extends PortBase {
	readonly kind: 'exchanges'
	readonly exchanges: Observer<ExchangeBatch>
}

/** `ebpf.SpanConsumer`: input of `ebpf.propagate` (spans whose ids are not final yet). */
export interface SpanConsumer extends PortBase {
	readonly kind: 'spans'
	readonly spans: Observer<SpanBatch>
}

/** `otelcol.Consumer`: one capsule for every signal, as in Alloy. A signal the stage does not take is undefined. */
export interface TelemetryConsumer extends PortBase {
	readonly kind: 'telemetry'
	readonly traces: Observer<SpanBatch> | undefined
	readonly metrics: Observer<MetricBatch> | undefined
}
