import fc from 'fast-check'
import { type AttributeList, type AttributeValue, attributeKey } from '../../src/model/attributes.ts'
import type { ClockOffset, SpanBatch } from '../../src/model/batch.ts'
import type { Exchange } from '../../src/model/exchange.ts'
import type { Metric } from '../../src/model/metric.ts'
import type { Resource } from '../../src/model/resource.ts'
import { SPAN_KIND, type Span } from '../../src/model/span.ts'

export const CLOCK: ClockOffset = { seconds: 1_795_000_000, nanos: 123_456_789 }

export function attributes(record: Readonly<Record<string, AttributeValue>>): AttributeList {
	return Object.entries(record).flatMap(([name, value]) => [attributeKey(name), value])
}

export function makeResource(
	serviceName: string,
	more: Readonly<Record<string, AttributeValue>> = {},
): Resource {
	return {
		attributes: attributes({
			'service.name': serviceName,
			'service.namespace': 'shop',
			'service.instance.id': `${serviceName}-1`,
			'telemetry.sdk.language': 'nodejs',
			'telemetry.distro.name': 'vor',
			'host.name': 'node-1',
			...more,
		}),
		serviceName,
		serviceNamespace: 'shop',
		serviceInstanceId: `${serviceName}-1`,
		encoded: undefined,
	}
}

/** A span as the HTTP stages make it, with ten attributes; `n` makes ids and times differ. */
export function makeSpan(n: number, resource: Resource, changes: Partial<Span> = {}): Span {
	const ids = new Uint8Array(32)
	const view = new DataView(ids.buffer)
	view.setUint32(0, 0xa1b2c3d4)
	view.setUint32(12, n + 1)
	view.setUint32(20, n + 1)
	if (n % 2 === 1) view.setUint32(28, n)
	return {
		name: 'GET /orders/{id}',
		kind: SPAN_KIND.server,
		startNs: 5_000_000_000_000 + n * 1000,
		endNs: 5_000_000_500_000 + n * 1000,
		resource,
		statusCode: 0,
		statusMessage: '',
		attributes: attributes({
			'http.request.method': 'GET',
			'url.path': `/orders/${n}`,
			'url.scheme': 'http',
			'http.response.status_code': 200,
			'http.route': '/orders/{id}',
			'server.address': 'orders.shop.local',
			'server.port': 8080,
			'network.peer.address': '10.0.3.17',
			'network.peer.port': 51_234,
			'network.protocol.version': '1.1',
		}),
		ids,
		idsAt: 0,
		traceFlags: 1,
		traceState: '',
		remoteParent: n % 4 === 1,
		route: '/orders/{id}',
		errorType: '',
		exchange: undefined as unknown as Exchange,
		skipTraces: false,
		skipMetrics: false,
		...changes,
	}
}

export function makeBatch(spans: readonly Span[], clockOffset: ClockOffset = CLOCK): SpanBatch {
	return { timeNs: 6_000_000_000_000, clockOffset, processes: [], fallback: [], unreadable: [], spans }
}

export function makeHistogram(resource: Resource, points = 1, name = 'http.server.request.duration'): Metric {
	return {
		kind: 'histogram',
		name,
		description: 'Duration of HTTP server requests.',
		unit: 's',
		resource,
		bounds: [0.005, 0.01, 0.1, 1],
		points: Array.from({ length: points }, (_, i) => ({
			attributes: attributes({
				'http.request.method': 'GET',
				'http.response.status_code': 200,
				'http.route': `/r${i}`,
			}),
			startMs: 1_795_000_000_000,
			timeMs: 1_795_000_015_000.5,
			count: 10,
			sum: 1.25,
			bucketCounts: [1, 2, 3, 4, 0],
		})),
	}
}

const value: fc.Arbitrary<AttributeValue> = fc.oneof(
	fc.string({ unit: 'grapheme', maxLength: 40 }),
	fc.string({ unit: 'binary', maxLength: 300 }),
	fc.integer(),
	fc.maxSafeInteger(),
	fc.constantFrom(2 ** 62, -(2 ** 63), 2 ** 63, 2 ** 53, -1, 0, -0, 127, 128, 0xffff_ffff, 0x1_0000_0000),
	fc.double(),
	fc.boolean(),
	fc.array(fc.string({ maxLength: 200 }), { maxLength: 6 }),
)

const attributeList = fc
	.dictionary(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 150 }), value, {
		maxKeys: 12,
		noNullPrototype: true,
	})
	.map(attributes)

const resource: fc.Arbitrary<Resource> = attributeList.map((list) => ({
	attributes: list,
	serviceName: 'x',
	serviceNamespace: '',
	serviceInstanceId: '',
	encoded: undefined,
}))

const bootNs = fc.oneof(
	fc.maxSafeInteger().map(Math.abs),
	// Beyond 2^53 a number holds only even nanoseconds; those must arrive exactly.
	fc.nat().map((n) => 2 ** 53 + n * 2),
)

const id = (length: number) =>
	fc.uint8Array({ minLength: length, maxLength: length }).filter((bytes) => bytes.some((b) => b !== 0))

/** Any span of one of few resources, ids at an odd offset of a larger array. */
export const anySpans: fc.Arbitrary<Span[]> = fc
	.array(resource, { minLength: 1, maxLength: 3 })
	.chain((resources) =>
		fc.array(
			fc
				.record({
					name: fc.string({ unit: 'grapheme', maxLength: 200 }),
					kind: fc.nat({ max: 5 }),
					startNs: bootNs,
					endNs: bootNs,
					resource: fc.constantFrom(...resources),
					statusCode: fc.nat({ max: 2 }),
					statusMessage: fc.string({ maxLength: 200 }),
					attributes: attributeList,
					traceId: id(16),
					spanId: id(8),
					parentId: fc.oneof(id(8), fc.constant(new Uint8Array(8))),
					pad: fc.nat({ max: 5 }),
					traceFlags: fc.nat({ max: 255 }),
					traceState: fc.constantFrom('', 'a=1', `vendor=${'x'.repeat(140)}`),
					remoteParent: fc.boolean(),
				})
				.map(({ traceId, spanId, parentId, pad, ...rest }) => {
					const ids = new Uint8Array(pad + 40).fill(0xee)
					ids.set(traceId, pad)
					ids.set(spanId, pad + 16)
					ids.set(parentId, pad + 24)
					return makeSpan(0, rest.resource, { ...rest, ids, idsAt: pad })
				}),
			{ maxLength: 8 },
		),
	)

export const anyClock: fc.Arbitrary<ClockOffset> = fc.record({
	seconds: fc.oneof(
		fc.nat({ max: 4_000_000_000 }),
		fc.constantFrom(0, 1, 65_535, 65_536, 1_795_000_000, 4_294_967_295),
	),
	nanos: fc.oneof(fc.nat({ max: 999_999_999 }), fc.constantFrom(0, 999_999_999)),
})
