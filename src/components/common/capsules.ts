import { capsule, list } from '../../eval/types.ts'
import type { ExchangeConsumer, RecordConsumer, SpanConsumer, TelemetryConsumer } from '../../flow/ports.ts'

/** Capsule types: what may be wired to what. `otelcol.Consumer` is Alloy's, the others are between our stages. */
export const telemetryConsumer = capsule<TelemetryConsumer>('otelcol.Consumer')
export const recordConsumer = capsule<RecordConsumer>('ebpf.RecordConsumer')
export const exchangeConsumer = capsule<ExchangeConsumer>('ebpf.ExchangeConsumer')
export const spanConsumer = capsule<SpanConsumer>('ebpf.SpanConsumer')

export const telemetryConsumers = list(telemetryConsumer)
export const recordConsumers = list(recordConsumer)
export const exchangeConsumers = list(exchangeConsumer)
export const spanConsumers = list(spanConsumer)

/** The list without its nulls. */
export const present = <T>(ports: readonly (T | undefined)[]): T[] =>
	ports.filter((port): port is T => port !== undefined)
