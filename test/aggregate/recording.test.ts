import { beforeAll, describe, expect, it } from 'vitest'
import { createEngines } from '../../src/bench/engines.ts'
import { attributeKey, findAttribute } from '../../src/model/attributes.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import type { HistogramMetric } from '../../src/model/metric.ts'
import { SPAN_KIND, type Span } from '../../src/model/span.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { type Recorded, recorded } from '../helpers/recording.ts'
import { imbalance, resourceOf, totalsOf } from '../protocols/support/pipeline.ts'

let scene: Recorded
let batches: RawBatch[]
beforeAll(async () => {
	scene = await recorded()
	batches = scene.batches()
}, 300_000)

function aggregateAll(raw: readonly RawBatch[]) {
	const accounting = createAccounting()
	const { decoder, correlator, propagator, aggregator } = createEngines(accounting, resourceOf)
	const parts = raw.flatMap((batch) => correlator.process(decoder.decode(batch)))
	parts.push(...correlator.flush())
	const final = parts.flatMap((part) => propagator.process(part))
	const last = raw.at(-1)!
	final.push(...propagator.flush(last.timeNs, true))
	for (const part of final) aggregator.process(part)
	const { metrics } = aggregator.collect(last.timeNs, last.clockOffset)
	const histograms = (name: string) =>
		metrics.filter((metric): metric is HistogramMetric => metric.kind === 'histogram' && metric.name === name)
	return {
		accounting,
		aggregator,
		histograms,
		spans: final.flatMap((part) => part.spans).filter((span) => !span.skipMetrics),
		fallback: raw.flatMap((batch) => batch.fallback),
	}
}

const sides = [
	{ side: 'server', kind: SPAN_KIND.server },
	{ side: 'client', kind: SPAN_KIND.client },
] as const
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)
const status = attributeKey('http.response.status_code')

describe('RED of a recording', () => {
	it('is taken from every span', () => {
		const { accounting } = aggregateAll(batches)
		expect(imbalance(accounting, 'aggregate')).toBe(0)
		expect(totalsOf(accounting, 'aggregate').received).toBe(totalsOf(accounting, 'propagate').sent)
	})

	it.each(sides)(
		'counts on the $side side as many requests as there are spans and kernel counts',
		({ side, kind }) => {
			const { histograms, spans, fallback, aggregator } = aggregateAll(batches)
			const points = histograms(`http.${side}.request.duration`).flatMap((metric) => metric.points)
			const kernel = sum(fallback.filter((each) => each.role === side).map((each) => each.count))
			const mine = spans.filter((span) => span.kind === kind)
			expect(aggregator.counters.fallbackUnknownProcess).toBe(0)
			expect(sum(points.map((point) => point.count))).toBe(mine.length + kernel)
			for (const point of points) expect(sum(point.bucketCounts)).toBe(point.count)
		},
	)

	it.each(sides)(
		'has on the $side side the durations, sizes and statuses of its spans, service by service',
		({ side, kind }) => {
			const { histograms, spans } = aggregateAll(batches)
			const durations = histograms(`http.${side}.request.duration`)
			const ports = new Set(Object.values(scene.truth.programs).map(({ port }) => port))
			const mine = spans.filter(
				({ kind: each, exchange }) =>
					each === kind && ports.has(kind === SPAN_KIND.server ? exchange.localPort : exchange.remotePort),
			)
			expect(mine.length).toBeGreaterThanOrEqual(scene.truth.requests.length)
			for (const pid of new Set(mine.map((span) => span.exchange.pid))) {
				const ofPid = (span: Span) => span.exchange.pid === pid && span.kind === kind
				const theirs = spans.filter(ofPid)
				const ofService = (metric: HistogramMetric) => metric.resource.serviceInstanceId === `host:${pid}`
				const points = durations.filter(ofService).flatMap((metric) => metric.points)
				expect(sum(points.map((point) => point.count))).toBe(theirs.length)
				const seconds = sum(theirs.map((span) => (span.endNs - span.startNs) / 1e9))
				expect(sum(points.map((point) => point.sum))).toBeCloseTo(seconds, 6)
				const bytes = histograms(`http.${side}.response.body.size`).filter(ofService)
				const answered = theirs.filter((span) => span.exchange.status !== 0)
				expect(sum(bytes.flatMap((metric) => metric.points.map((point) => point.sum)))).toBe(
					sum(answered.map((span) => span.exchange.responseBodySize)),
				)
				const byStatus = (code: number) =>
					sum(
						points
							.filter((point) => findAttribute(point.attributes, status) === code)
							.map((point) => point.count),
					)
				for (const code of new Set(answered.map((span) => span.exchange.status)))
					expect(byStatus(code)).toBe(answered.filter((span) => span.exchange.status === code).length)
			}
		},
	)

	it('counts the TLS connections of their program', () => {
		const { aggregator } = aggregateAll(batches)
		const counts = aggregator.unreadable().filter(({ service }) => service === 'tls-shop')
		expect(counts).toEqual([
			{ service: 'tls-shop', protocol: 'tls', connections: scene.truth.tlsConnections },
		])
	})
})
