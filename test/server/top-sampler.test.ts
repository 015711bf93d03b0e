import { expect, test } from 'vitest'
import { type AttributeList, attributeKey } from '../../src/model/attributes.ts'
import type { HistogramPoint, Metric } from '../../src/model/metric.ts'
import type { Resource } from '../../src/model/resource.ts'
import { createTopSampler, quantile } from '../../src/server/top-sampler.ts'

const shop: Resource = {
	attributes: [attributeKey('telemetry.sdk.language'), 'nodejs'],
	serviceName: 'shop',
	serviceNamespace: '',
	serviceInstanceId: 'a:1',
	encoded: undefined,
}
const bounds = [0.01, 0.1, 1]

function point(bucketCounts: number[], attributes: AttributeList = []): HistogramPoint {
	const count = bucketCounts.reduce((sum, value) => sum + value, 0)
	return { attributes, startMs: 0, timeMs: 0, count, sum: 0, bucketCounts }
}

function duration(side: 'server' | 'client', ...points: HistogramPoint[]): Metric {
	return {
		kind: 'histogram',
		name: `http.${side}.request.duration`,
		description: '',
		unit: 's',
		resource: shop,
		bounds,
		points,
	}
}

function sampler(metrics: () => Metric[], time: () => number) {
	return createTopSampler({
		metrics,
		unreadable: () => [
			{ service: 'shop', protocol: 'tls', connections: 214 },
			{ service: 'db', protocol: 'unknown', connections: 1 },
		],
		spans: () => 7,
		dropped: () => [],
		now: time,
	})
}

test('rates, errors and quantiles are those of the last five seconds, totals those since the start', () => {
	let time = 0
	let metrics = [duration('server', point([100, 0, 0, 0]))]
	const sample = sampler(
		() => metrics,
		() => time,
	)
	sample()
	time = 5000
	metrics = [
		duration('server', point([100, 40, 0, 0]), point([0, 0, 9, 1], [attributeKey('error.type'), '500'])),
		duration('client', point([0, 0, 0, 3])),
	]
	const snapshot = sample()
	expect(snapshot.windowSeconds).toBe(5)
	const [service] = snapshot.services
	expect(service).toMatchObject({ service: 'shop', language: 'nodejs' })
	expect(service!.in).toMatchObject({ requests: 150, errors: 10, requestsPerSecond: 10, errorRatio: 0.2 })
	expect(service!.in!.p50!.seconds).toBeCloseTo(0.01 + (0.09 * 25) / 40)
	expect(service!.in!.p99).toEqual({ seconds: 1, place: 'above' })
	expect(service!.out).toMatchObject({
		requests: 3,
		requestsPerSecond: 0.6,
		p50: { seconds: 1, place: 'above' },
	})
	expect(service!.unreadable).toEqual([{ protocol: 'tls', connections: 214 }])
})

test('the first reading covers the time since the counting began', () => {
	const snapshot = sampler(
		() => [duration('server', { ...point([100, 0, 0, 0]), startMs: 1000 })],
		() => 11_000,
	)()
	expect(snapshot.windowSeconds).toBe(0)
	expect(snapshot.services[0]!.in).toMatchObject({ requests: 100, requestsPerSecond: 10 })
})

test('a service that only has unreadable connections is shown too', () => {
	const snapshot = sampler(
		() => [],
		() => 0,
	)()
	expect(snapshot.services.map(({ service }) => service)).toEqual(['db', 'shop'])
	expect(snapshot.services[0]).toMatchObject({ in: null, out: null })
})

test('a service that fell silent has rate 0 and no quantiles, and keeps its total', () => {
	let time = 0
	const sample = sampler(
		() => [duration('server', point([5, 0, 0, 0]))],
		() => time,
	)
	sample()
	for (time = 1000; time < 20_000; time += 1000) sample()
	expect(sample().services[0]!.in).toMatchObject({ requests: 5, requestsPerSecond: 0, p50: null })
	expect(sample().windowSeconds).toBe(5)
})

test('a total that went down after a reload gives no negative rate', () => {
	let time = 0
	let metrics = [duration('server', point([100, 0, 0, 0]))]
	const sample = sampler(
		() => metrics,
		() => time,
	)
	sample()
	time = 5000
	metrics = [duration('server', point([10, 0, 0, 0]))]
	expect(sample().services[0]!.in).toMatchObject({ requests: 10, requestsPerSecond: 2 })
})

test.each([
	[0.5, [4, 0, 0, 0], 0.01, 'below'],
	[1, [4, 0, 0, 0], 0.01, 'below'],
	[0.75, [1, 0, 1, 0], 0.55, 'at'],
	[0.75, [0, 0, 4, 0], 0.775, 'at'],
	[0.99, [0, 0, 0, 1], 1, 'above'],
])('quantile %d of %j is %d (%s)', (q, counts, seconds, place) => {
	const result = quantile(q, bounds, counts)
	expect(result!.seconds).toBeCloseTo(seconds)
	expect(result!.place).toBe(place)
})

test('there is no quantile of nothing', () => {
	expect(quantile(0.5, bounds, [0, 0, 0, 0])).toBeNull()
})
