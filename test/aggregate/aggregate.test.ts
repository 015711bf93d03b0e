import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationBucket, sizeBucket } from '../../src/aggregate/buckets.ts'
import { type Aggregator, type AggregatorOptions, createAggregator } from '../../src/aggregate/index.ts'
import { type AttributeKey, attributeKey, findAttribute } from '../../src/model/attributes.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import type { HistogramMetric, HistogramPoint } from '../../src/model/metric.ts'
import { HTTP_FLAG, PROTOCOL } from '../../src/model/record.ts'
import { DURATION_BOUNDS_S, SIZE_BOUNDS_BYTES } from '../../src/model/semconv.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { decodeAndCorrelate, imbalance, resourceOf, totalsOf } from '../protocols/support/pipeline.ts'
import {
	ANSWERED,
	connRecord,
	fallbackCount,
	type HttpRecord,
	httpRecord,
	processFact,
	rawBatch,
} from '../protocols/support/records.ts'

const OFFSET = { seconds: 1_700_000_000, nanos: 500_000_000 }

function aggregate(options: Partial<AggregatorOptions> = {}) {
	const { decoder, correlator, accounting } = decodeAndCorrelate({ routes: { unmatched: 'heuristic' } })
	const aggregator = createAggregator({ meter: accounting.meter('/', 'aggregate'), resourceOf, ...options })
	const run = (records: HttpRecord[], more: Partial<RawBatch> = {}, extra: Buffer[] = []): void => {
		const raw = rawBatch([...records.map(httpRecord), ...extra], {
			processes: [processFact()],
			clockOffset: OFFSET,
			...more,
		})
		for (const batch of correlator.process(decoder.decode(raw))) aggregator.process(batch)
	}
	return { aggregator, run, accounting }
}

function points(
	aggregator: Aggregator,
	name = 'http.server.request.duration',
	timeNs = 200e9,
): HistogramPoint[] {
	return aggregator
		.collect(timeNs, OFFSET)
		.metrics.filter((metric): metric is HistogramMetric => metric.name === name)
		.flatMap((metric) => metric.points)
}

function labels(point: HistogramPoint): Record<string, unknown> {
	const entries: Record<string, unknown> = {}
	for (let i = 0; i < point.attributes.length; i += 2)
		entries[(point.attributes[i] as AttributeKey).name] = point.attributes[i + 1]
	return entries
}

const total = (list: readonly HistogramPoint[]): number => list.reduce((sum, point) => sum + point.count, 0)

describe('buckets', () => {
	it('are upper-inclusive, as the reference count says', () => {
		fc.assert(
			fc.property(fc.nat(20_000_000_000), (ns) => {
				expect(durationBucket(ns)).toBe(
					DURATION_BOUNDS_S.filter((bound) => ns > Math.round(bound * 1e9)).length,
				)
			}),
		)
		for (const [i, bound] of DURATION_BOUNDS_S.entries()) {
			expect([durationBucket(Math.round(bound * 1e9)), durationBucket(Math.round(bound * 1e9) + 1)]).toEqual([
				i,
				i + 1,
			])
		}
		for (const [i, bound] of SIZE_BOUNDS_BYTES.entries())
			expect([sizeBucket(bound), sizeBucket(bound + 1)]).toEqual([i, i + 1])
	})
})

describe('aggregate', () => {
	it('makes RED points of server spans', () => {
		const { aggregator, run } = aggregate()
		run([
			{ target: '/a', startNs: 100e9, endNs: 100e9 + 4e6, requestBody: 10, responseBody: 100 },
			{ target: '/a', startNs: 100e9, endNs: 100e9 + 80e6, responseBody: 9000 },
			{ target: '/a', status: 500, startNs: 100e9, endNs: 100e9 + 20e9 },
		])
		const [ok, failed] = points(aggregator)
		expect(labels(ok!)).toEqual({
			'http.request.method': 'GET',
			'url.scheme': 'http',
			'http.response.status_code': 200,
			'http.route': '/a',
			'network.protocol.version': '1.1',
		})
		expect([ok!.count, ok!.sum]).toEqual([2, 0.084])
		expect(ok!.bucketCounts).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
		expect(failed!.bucketCounts.at(-1)).toBe(1)
		expect(labels(failed!)['error.type']).toBe('500')
		expect([ok!.startMs, ok!.timeMs]).toEqual([1_700_000_100_500, 1_700_000_200_500])
		expect(points(aggregator, 'http.server.request.body.size')[0]).toMatchObject({ count: 2, sum: 10 })
		expect(points(aggregator, 'http.server.response.body.size')[0]).toMatchObject({ count: 2, sum: 9100 })
		expect(points(aggregator, 'http.client.request.duration')).toEqual([])
	})

	it('keeps clients apart by where they went', () => {
		const { aggregator, run } = aggregate()
		const client = { role: 2, target: '/a/b' }
		run([
			{ ...client, host: 'one.example:81' },
			{ ...client, host: 'one.example:81' },
			{ ...client, host: 'one.example:82' },
			{ ...client, host: 'two.example:81' },
		])
		expect(
			points(aggregator, 'http.client.request.duration').map((point) => [
				labels(point)['server.address'],
				labels(point)['server.port'],
				point.count,
			]),
		).toEqual([
			['one.example', 81, 2],
			['one.example', 82, 1],
			['two.example', 81, 1],
		])
		expect(labels(points(aggregator, 'http.client.request.duration')[0]!)).not.toHaveProperty('http.route')
	})

	it('tells apart everything that is a label, and only that', () => {
		const { aggregator, run } = aggregate()
		run([
			{},
			{ target: '/?q=2', host: 'other' },
			{ method: 'POST' },
			{ status: 201 },
			{ flags: ANSWERED | HTTP_FLAG.version10 },
			{ flags: HTTP_FLAG.closed },
			{ flags: HTTP_FLAG.closed | HTTP_FLAG.peerReset },
			{ target: '/other' },
			{ method: 'PURGE' },
			{ method: 'MKCOL' },
		])
		expect(points(aggregator).map((point) => point.count)).toEqual([2, 1, 1, 1, 1, 1, 1, 2])
		const bodies = points(aggregator, 'http.server.response.body.size')
		expect(total(bodies)).toBe(8)
	})

	it('has the attributes that are selected, the optional ones too, and merges what then looks the same', () => {
		const requests = [
			{ target: '/a/1', host: 'one.example' },
			{ target: '/a/2', host: 'two.example' },
			{ target: '/a/2', host: 'two.example', status: 404 },
		]
		const seen = (include: string[], exclude: string[]) => {
			const { aggregator, run } = aggregate({ attributes: { include, exclude } })
			run(requests)
			return points(aggregator).map((point) => [labels(point), point.count])
		}
		expect(seen([], ['http.response.*', 'url.*', 'network.*', 'http.route'])).toEqual([
			[{ 'http.request.method': 'GET' }, 3],
		])
		expect(seen(['url_path', 'server.address'], [])).toEqual([
			[{ 'url.path': '/a/1', 'server.address': 'one.example' }, 1],
			[{ 'url.path': '/a/2', 'server.address': 'two.example' }, 2],
		])
	})

	it('has server.address and server.port on the server side in the beyla profile only', () => {
		for (const [profile, address] of [
			['beyla', 'one.example'],
			['grafana', undefined],
		] as const) {
			const { aggregator, run } = aggregate({ profile })
			run([{ host: 'one.example:81' }])
			expect(labels(points(aggregator)[0]!)['server.address']).toBe(address)
		}
	})

	it('gives each process its resource, and equal resources one identity', () => {
		const { aggregator, run } = aggregate()
		run([{}, { pid: 101 }], { processes: [processFact(), processFact({ pid: 101 })] })
		run([{}], { processes: [processFact({ comm: 'renamed thread' })] })
		const { metrics } = aggregator.collect(200e9, OFFSET)
		const durations = metrics.filter((metric) => metric.name === 'http.server.request.duration')
		expect(
			durations.map((metric) => [
				metric.resource.serviceInstanceId,
				total((metric as HistogramMetric).points),
			]),
		).toEqual(
			expect.arrayContaining([
				['host:100', 2],
				['host:101', 1],
			]),
		)
		expect(durations).toHaveLength(2)
	})

	it('is cumulative: the start stays, the count grows', () => {
		const { aggregator, run } = aggregate()
		run([{}])
		const [first] = points(aggregator)
		run([{}], { clockOffset: { seconds: 1_700_000_003, nanos: 0 } })
		const [second] = points(aggregator, undefined, 215e9)
		expect([second!.startMs, second!.count]).toEqual([first!.startMs, 2])
		expect(second!.timeMs).toBeGreaterThan(first!.timeMs)
	})

	it('bounds the series: what is too much goes into the overflow series, none is lost', () => {
		const { aggregator, run } = aggregate({ seriesLimit: 5 })
		const words = ['and', 'the', 'her', 'one', 'two', 'his', 'are', 'was']
		run(words.flatMap((word) => [{ target: `/${word}` }, { target: `/${word}` }]))
		const all = points(aggregator)
		expect(all).toHaveLength(5)
		const overflow = all.find(
			(point) => findAttribute(point.attributes, attributeKey('otel.metric.overflow')) === true,
		)
		expect(overflow!.count).toBe(8)
		expect(total(all)).toBe(16)
		expect(aggregator.counters.overflowed).toBe(8)
		run([{ target: '/and' }])
		expect(total(points(aggregator))).toBe(17)
		expect(aggregator.counters.overflowed).toBe(8)
	})

	it('bounds the series over all processes, however many come and go, and loses none', () => {
		const { aggregator, run } = aggregate({ totalSeriesLimit: 10 })
		for (let pid = 1000; pid < 2000; pid++) run([{ pid }], { processes: [processFact({ pid })] })
		expect(aggregator.seriesCount).toBeLessThan(20)
		const { metrics } = aggregator.collect(200e9, OFFSET)
		const durations = metrics.filter((metric) => metric.name === 'http.server.request.duration')
		expect(durations.length).toBeLessThan(20)
		expect(durations.reduce((sum, metric) => sum + total((metric as HistogramMetric).points), 0)).toBe(1000)
		expect(aggregator.counters.overflowed).toBe(990)
		const crowd = durations.find((metric) => metric.resource.serviceInstanceId === '')
		expect(crowd?.resource.serviceName).toBe('shop')
	})

	it('merges the kernel’s own counts bucket by bucket, in a series without a route', () => {
		const { aggregator, run } = aggregate()
		run([{ target: '/a' }])
		const duration = [3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
		run([], {
			fallback: [
				fallbackCount({ count: 6, duration, durationSumNs: 40e9, requestBodySum: 7, responseBodySum: 9 }),
				fallbackCount({ status: 503 }),
				fallbackCount({ status: 0, peerReset: true }),
				fallbackCount({ role: 'client', status: 404, port: 9000, http10: true }),
			],
		})
		const servers = points(aggregator)
		const merged = servers.find((point) => point.count === 6)!
		expect(labels(merged)).not.toHaveProperty('http.route')
		expect([merged.bucketCounts, merged.sum]).toEqual([duration, 40])
		expect(servers.map((point) => labels(point)['error.type'])).toEqual([
			undefined,
			undefined,
			'503',
			'connection_reset',
		])
		expect(labels(points(aggregator, 'http.client.request.duration')[0]!)).toMatchObject({
			'server.port': 9000,
			'error.type': '404',
			'network.protocol.version': '1.0',
		})
		expect(aggregator.counters.fallbackRequests).toBe(9)
	})

	it('adds kernel counts to the span series with the same labels', () => {
		const { decoder, correlator } = decodeAndCorrelate({ routes: { unmatched: 'unset' } })
		const aggregator = createAggregator({ meter: createAccounting().meter('/', 'a'), resourceOf })
		const raw = rawBatch([httpRecord()], {
			processes: [processFact()],
			fallback: [fallbackCount({ count: 1 })],
		})
		for (const batch of correlator.process(decoder.decode(raw))) aggregator.process(batch)
		expect(points(aggregator).map((point) => point.count)).toEqual([2])
	})

	it('lets kernel counts wait for their process, and counts those whose process stays unknown', () => {
		const { aggregator, run } = aggregate()
		run([], {
			processes: [],
			timeNs: 101e9,
			fallback: [fallbackCount({ pid: 7 }), fallbackCount({ pid: 8 })],
		})
		expect(points(aggregator)).toEqual([])
		run([], { timeNs: 102e9, processes: [processFact({ pid: 7 })] })
		expect(total(points(aggregator))).toBe(1)
		run([], { timeNs: 110e9 })
		expect(aggregator.counters.fallbackUnknownProcess).toBe(1)
		run([], { timeNs: 111e9, processes: [processFact({ pid: 8 })] })
		expect(total(points(aggregator))).toBe(1)
	})

	it('counts apart what processes did that nobody wants, and keeps it out of the series', () => {
		const { aggregator, run } = aggregate()
		run([], {
			processes: [processFact({ pid: 9, selection: 'rejected' })],
			fallback: [fallbackCount({ pid: 9, count: 3 })],
		})
		expect(points(aggregator)).toEqual([])
		expect([aggregator.counters.fallbackRequests, aggregator.counters.fallbackRejected]).toEqual([3, 3])
	})

	it('forgets the series of a process five minutes after its exit, and no other', () => {
		const { aggregator, run } = aggregate()
		run([{}, { pid: 101 }], { processes: [processFact(), processFact({ pid: 101 })] })
		run([], { processes: [processFact({ exitNs: 150e9 })], timeNs: 150e9 })
		expect(points(aggregator, undefined, 449e9)).toHaveLength(2)
		expect(points(aggregator, undefined, 451e9)).toHaveLength(1)
		expect([aggregator.counters.expired, aggregator.seriesCount]).toEqual([1, 1])
		expect(points(aggregator, undefined, 10_000e9)).toHaveLength(1)
	})

	it('keeps the series of a process that has its earlier name again', () => {
		const { aggregator, run } = aggregate()
		for (const serviceName of ['a', 'b', 'a']) run([{}], { processes: [processFact({ serviceName })] })
		for (let timeNs = 210e9; timeNs < 900e9; timeNs += 10e9) {
			run([{}], { processes: [], timeNs })
			points(aggregator, undefined, timeNs)
		}
		expect(Math.max(...points(aggregator, undefined, 900e9).map(({ count }) => count))).toBe(2 + 69)
	})

	it('ends the series of a process that exited before its first span was seen', () => {
		const { aggregator, run } = aggregate()
		run([{}], { processes: [processFact({ exitNs: 101e9 })] })
		expect(points(aggregator)).toHaveLength(1)
		expect(points(aggregator, undefined, 402e9)).toHaveLength(0)
	})

	it('counts unreadable connections by service and protocol', () => {
		const { aggregator, run } = aggregate()
		const processes = [processFact(), processFact({ pid: 101, selection: 'rejected' })]
		run([], { processes }, [
			connRecord({ protocol: PROTOCOL.tls }),
			connRecord({ protocol: PROTOCOL.tls }),
			connRecord({ protocol: PROTOCOL.http2 }),
			connRecord({ pid: 101, protocol: PROTOCOL.tls }),
			connRecord({ pid: 102, protocol: PROTOCOL.unknown }),
		])
		expect(aggregator.unreadable()).toEqual([
			{ service: 'shop', protocol: 'tls', connections: 2 },
			{ service: 'shop', protocol: 'http2', connections: 1 },
		])
		run([], { timeNs: 107e9 })
		expect(aggregator.unreadable()[2]).toEqual({
			service: 'unknown_service',
			protocol: 'unknown',
			connections: 1,
		})
	})

	it('counts every request exactly once, whether it came as span or from the kernel', () => {
		const status = fc.constantFrom(200, 201, 404, 500)
		fc.assert(
			fc.property(
				fc.array(
					fc.record({ status, role: fc.constantFrom(1, 2), ms: fc.nat(20_000), pid: fc.constantFrom(1, 2) }),
					{ maxLength: 60 },
				),
				fc.array(fc.record({ status, count: fc.nat(50), pid: fc.constantFrom(1, 2) }), { maxLength: 20 }),
				(spans, counts) => {
					const { aggregator, run, accounting } = aggregate({ seriesLimit: 4 })
					run(
						spans.map(({ ms, ...rest }) => ({ ...rest, startNs: 100e9, endNs: 100e9 + ms * 1e6 })),
						{
							processes: [processFact({ pid: 1 }), processFact({ pid: 2 })],
							fallback: counts.map((each) =>
								fallbackCount({ ...each, duration: [each.count, ...new Array<number>(14).fill(0)] }),
							),
						},
					)
					const seen = total(points(aggregator)) + total(points(aggregator, 'http.client.request.duration'))
					expect(seen).toBe(spans.length + counts.reduce((sum, each) => sum + each.count, 0))
					expect(imbalance(accounting, 'aggregate')).toBe(0)
					expect(totalsOf(accounting, 'aggregate').sent).toBe(spans.length)
				},
			),
		)
	})
})
