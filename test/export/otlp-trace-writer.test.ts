import { create, fromBinary, type Message } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EncodedRequest, TraceWriter } from '../../src/export/otlp-trace-writer.ts'
import { ExportTraceServiceRequestSchema } from '../../src/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts'
import { StatusSchema } from '../../src/gen/opentelemetry/proto/trace/v1/trace_pb.ts'
import { createReferee } from './referee.ts'
import { anyClock, anySpans, attributes, CLOCK, makeResource, makeSpan } from './samples.ts'

const unlimited = { scopeName: 'vor', scopeVersion: '0.1.0', maxBytes: 2 ** 31, maxItems: 2 ** 31 }
const referee = createReferee('vor', '0.1.0')

function decode(bytes: Uint8Array) {
	const request = fromBinary(ExportTraceServiceRequestSchema, bytes)
	// Absent and empty mean the same here; the referee always writes it.
	for (const resource of request.resourceSpans)
		for (const scope of resource.scopeSpans)
			for (const span of scope.spans) span.status ??= create(StatusSchema)
	return request
}

const spansOf = (bytes: Uint8Array) =>
	decode(bytes).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans))

function unknownFields(message: unknown): number {
	if (message === null || typeof message !== 'object') return 0
	if (Array.isArray(message)) return message.reduce<number>((sum, item) => sum + unknownFields(item), 0)
	if (message instanceof Uint8Array) return 0
	const own = (message as Message).$unknown?.length ?? 0
	return Object.entries(message).reduce(
		(sum, [key, item]) => sum + (key === '$unknown' ? 0 : unknownFields(item)),
		own,
	)
}

describe('the span writer', () => {
	it('writes what the reference encoder writes, for any span, with no unknown field left', () => {
		fc.assert(
			fc.property(anySpans, anyClock, (spans, clock) => {
				const own = decode(new TraceWriter(unlimited).encode(spans, clock))
				const reference = decode(referee.encode(spans, clock))
				expect(own).toEqual(reference)
				expect(unknownFields(own)).toBe(0)
			}),
			{ numRuns: 400 },
		)
	})

	it('gives exact Unix times, above 2^53 and over every carry', () => {
		const resource = makeResource('clock')
		const writer = new TraceWriter(unlimited)
		fc.assert(
			fc.property(anyClock, fc.nat(), fc.nat({ max: 2 ** 21 }), (clock, low, high) => {
				const startNs = high * 2 ** 33 + low * 2
				const bytes = writer.encode([makeSpan(1, resource, { startNs })], clock)
				const unix = BigInt(startNs) + BigInt(clock.seconds) * 10n ** 9n + BigInt(clock.nanos)
				expect(spansOf(bytes)[0]!.startTimeUnixNano).toBe(BigInt.asUintN(64, unix))
			}),
		)
	})

	it('groups spans by resource however they are mixed, and over batches with other clock offsets', () => {
		const [a, b] = [makeResource('a'), makeResource('b')]
		const writer = new TraceWriter(unlimited)
		const emit = () => expect.fail('nothing is full')
		writer.add([makeSpan(1, a), makeSpan(2, b), makeSpan(3, a)], CLOCK, emit)
		writer.add([makeSpan(4, b)], { seconds: 1, nanos: 0 }, emit)
		const { bytes, items } = writer.take()
		expect(items).toBe(4)
		expect(decode(bytes).resourceSpans.map((r) => r.scopeSpans[0]!.spans.length)).toEqual([2, 2])
		expect(spansOf(bytes).map((span) => span.startTimeUnixNano)[3]).toBe(1_000_000_000n + 5_000_000_004_000n)
		expect(writer.items).toBe(0)
	})

	it('never makes a request longer than the limit, loses none and keeps the order within a resource', () => {
		const resources = [makeResource('a'), makeResource('b', { note: 'x'.repeat(500) })]
		fc.assert(
			fc.property(
				fc.integer({ min: 1600, max: 9000 }),
				fc.integer({ min: 1, max: 200 }),
				(maxBytes, count) => {
					const writer = new TraceWriter({ ...unlimited, maxBytes })
					const spans = Array.from({ length: count }, (_, n) => makeSpan(n, resources[n % 3 === 0 ? 0 : 1]!))
					const requests: EncodedRequest[] = []
					writer.add(spans, CLOCK, (request) => void requests.push(request))
					requests.push(writer.take())
					const seen = new Map<string, number[]>()
					for (const { bytes, items } of requests) {
						expect(bytes.length).toBeLessThanOrEqual(maxBytes)
						expect(spansOf(bytes).length).toBe(items)
						for (const group of decode(bytes).resourceSpans) {
							const service = JSON.stringify(group.resource!.attributes.map(({ value }) => value!.value))
							const ids = group.scopeSpans[0]!.spans.map((span) => Buffer.from(span.traceId).readUInt32BE(12))
							seen.set(service, [...(seen.get(service) ?? []), ...ids])
						}
					}
					for (const ids of seen.values()) expect(ids).toEqual([...ids].sort((x, y) => x - y))
					expect([...seen.values()].flat().sort((x, y) => x - y)).toEqual(spans.map((_, n) => n + 1))
					expect(writer.refused).toEqual({ tooLarge: 0, invalidId: 0, skipped: 0 })
				},
			),
			{ numRuns: 60 },
		)
	})

	it('leaves out, and counts, spans that no request can hold, that have no id, or whose target exports them itself', () => {
		const resource = makeResource('a')
		const writer = new TraceWriter({ ...unlimited, maxBytes: 4096 })
		const requests: EncodedRequest[] = []
		const huge = makeSpan(2, resource, { attributes: attributes({ 'db.query.text': 'x'.repeat(5000) }) })
		const nameless = makeSpan(3, resource, { ids: new Uint8Array(32) })
		const own = makeSpan(4, resource, { skipTraces: true })
		writer.add(
			[makeSpan(1, resource), huge, nameless, own, makeSpan(5, resource)],
			CLOCK,
			(r) => void requests.push(r),
		)
		requests.push(writer.take())
		expect(writer.refused).toEqual({ tooLarge: 1, invalidId: 1, skipped: 1 })
		expect(
			requests.flatMap(({ bytes }) => spansOf(bytes)).map((s) => Buffer.from(s.traceId).readUInt32BE(12)),
		).toEqual([2, 6])
	})

	it('closes a request at the limit of items', () => {
		const resource = makeResource('a')
		const writer = new TraceWriter({ ...unlimited, maxItems: 30 })
		const sizes: number[] = []
		writer.add(
			Array.from({ length: 100 }, (_, n) => makeSpan(n, resource)),
			CLOCK,
			(r) => void sizes.push(spansOf(r.bytes).length),
		)
		expect([...sizes, writer.items]).toEqual([30, 30, 30, 10])
	})
})
