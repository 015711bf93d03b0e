import { type Observer, Subject } from 'rxjs'
import type { MetricBatch, SpanBatch } from '../model/batch.ts'
import { FinishedSpan } from '../model/finished-span.ts'
import type { ExchangeConsumer, SpanConsumer, TelemetryConsumer } from './ports.ts'

/** One observer that hands every batch to all of them; who changes spans in place gets a copy. */
export function fanOutSpans(
	consumers: readonly { readonly mutates: boolean; readonly spans: Observer<SpanBatch> | undefined }[],
): Observer<SpanBatch> {
	const takers = consumers.flatMap(({ spans, mutates }) => (spans === undefined ? [] : [{ spans, mutates }]))
	// The last one may have the original, if nobody else looks at it.
	const copies = takers.map((taker) => taker.mutates && takers.length > 1)
	return {
		next(batch) {
			for (let i = 0; i < takers.length; i++) takers[i]!.spans.next(copies[i] ? copyOf(batch) : batch)
		},
		error: (reason: unknown) => takers.forEach((taker) => void taker.spans.error(reason)),
		complete: () => takers.forEach((taker) => void taker.spans.complete()),
	}
}

/** For batches nobody may change: the same object to all. */
export function fanOut<Batch>(consumers: readonly Observer<Batch>[]): Observer<Batch> {
	if (consumers.length === 1) return consumers[0]!
	const subject = new Subject<Batch>()
	for (const consumer of consumers) subject.subscribe(consumer)
	return subject
}

export function fanOutExchanges(ports: readonly ExchangeConsumer[]): ExchangeConsumer['exchanges'] {
	return fanOut(ports.map((port) => port.exchanges))
}

export function fanOutTraces(ports: readonly (SpanConsumer | TelemetryConsumer)[]): Observer<SpanBatch> {
	return fanOutSpans(
		ports.map((port) => ({
			mutates: port.mutates,
			spans: port.kind === 'spans' ? port.spans : port.traces,
		})),
	)
}

export function fanOutMetrics(ports: readonly TelemetryConsumer[]): Observer<MetricBatch> {
	return fanOut(ports.flatMap((port) => (port.metrics === undefined ? [] : [port.metrics])))
}

function copyOf(batch: SpanBatch): SpanBatch {
	return { ...batch, spans: batch.spans.map((span) => FinishedSpan.copyOf(span)) }
}
