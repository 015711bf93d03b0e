import { describe, expect, it } from 'vitest'
import { traceRequests } from '../../src/components/otelcol/exporter-otlp/trace-requests.ts'
import type { SpanBatch } from '../../src/model/batch.ts'

const traces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const metrics = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const own = { spans: [{ name: 'own' }] } as unknown as SpanBatch
const other = { spans: [{ name: 'other' }] } as unknown as SpanBatch
const empty = { spans: [] } as unknown as SpanBatch

function make() {
	const made: { attributes: Record<string, unknown>; ended: string | undefined | null }[] = []
	const requests = traceRequests(
		{
			owns: (batch) => batch === own,
			root() {
				const span = { attributes: {} as Record<string, unknown>, ended: null as string | undefined | null }
				made.push(span)
				return {
					child: () => expect.unreachable(),
					set: (name, value) => void (span.attributes[name] = value),
					traceparent: undefined,
					end: (problem) => void (span.ended = problem),
				}
			},
		},
		{ path: '/', id: 'otelcol.exporter.otlp.x' },
	)
	return { ...requests, made }
}

describe('requests of an exporter among the own traces', () => {
	it('are told with their exporter, signal, size and problem', () => {
		const { saw, watch, made } = make()
		saw(other)
		watch(traces, 12)!('UNAVAILABLE')
		watch(metrics, 34)!()
		const attributes = { component_path: '/', component_id: 'otelcol.exporter.otlp.x' }
		expect(made).toEqual([
			{
				attributes: { ...attributes, 'vor.export.signal': 'traces', 'vor.export.bytes': 12 },
				ended: 'UNAVAILABLE',
			},
			{
				attributes: { ...attributes, 'vor.export.signal': 'metrics', 'vor.export.bytes': 34 },
				ended: undefined,
			},
		])
	})

	it('end with the last request of somebody else: own traces that travel alone give none, whatever follows', () => {
		const { saw, watch, made } = make()
		saw(own)
		for (let i = 0; i < 3; i++) expect(watch(traces, 1)).toBeUndefined()
		saw(empty)
		expect(watch(traces, 1)).toBeUndefined()
		expect(made).toEqual([])
	})

	it('are told when own traces travel with those of others, and when such a request is tried again', () => {
		const { saw, watch, made } = make()
		saw(other)
		saw(own)
		expect(watch(traces, 1)).toBeDefined()
		saw(own)
		expect(watch(traces, 1)).toBeUndefined()
		saw(other)
		expect(watch(traces, 1)).toBeDefined()
		expect(watch(traces, 1)).toBeDefined()
		expect(made).toHaveLength(3)
	})
})
