import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createAggregator } from '../../src/aggregate/index.ts'
import type { AttributeKey, AttributeList, AttributeValue } from '../../src/model/attributes.ts'
import { HTTP_FLAG } from '../../src/model/record.ts'
import { KEY } from '../../src/model/semconv.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { decodeAndCorrelate, resourceOf } from '../protocols/support/pipeline.ts'
import { ANSWERED, type HttpRecord, httpRecord, processFact, rawBatch } from '../protocols/support/records.ts'

interface Registry {
	attributes: Record<string, { type: string; deprecated?: unknown }>
	spans: Record<string, { attributes: Record<string, { level: string; type: string }> }>
	metrics: Record<
		string,
		{
			attributes: Record<string, { level: string; type: string }>
			unit: string
			instrument: string
			buckets: number[] | null
		}
	>
}

const file = new URL('../../../shared/semconv/semconv-flat.json', import.meta.url)
const present = existsSync(file)
if (!present)
	console.warn('SKIPPED: ../shared/semconv/semconv-flat.json is absent, names are not held against it')

/** Kept beside the current name in the grafana profile (stock Tempo keys on it); named by the SDK specification. */
const ELSEWHERE = new Set(['peer.service', 'otel.metric.overflow'])

const RECORDS: HttpRecord[] = [
	{ role: 1, target: '/a/1?x=y', arrivalNs: 99_000_000_000 },
	{ role: 1, status: 500, method: 'PURGE' },
	{ role: 1, family: 1, flags: HTTP_FLAG.closed | HTTP_FLAG.peerReset, host: '' },
	{ role: 1, flags: ANSWERED | HTTP_FLAG.sizeInexact | HTTP_FLAG.version10 | HTTP_FLAG.targetTruncated },
	{ role: 2, target: '/a/1?x=y', host: 'api.example.org' },
	{ role: 2, status: 404, host: '' },
	{ role: 2, method: 'CONNECT', target: 'a.example:443' },
	{ role: 2, flags: HTTP_FLAG.closed },
]

function pairs(list: AttributeList): [string, AttributeValue][] {
	const all: [string, AttributeValue][] = []
	for (let i = 0; i < list.length; i += 2)
		all.push([(list[i] as AttributeKey).name, list[i + 1] as AttributeValue])
	return all
}

function typeOf(value: AttributeValue): string {
	if (typeof value === 'number') return 'int'
	if (typeof value === 'object') return 'double' in value ? 'double' : 'string[]'
	return typeof value === 'boolean' ? 'boolean' : 'string'
}

describe.skipIf(!present)('the semantic conventions', () => {
	const registry = (present ? JSON.parse(readFileSync(file, 'utf8')) : undefined) as Registry
	const { decoder, correlator } = decodeAndCorrelate({ semconv: { debugAttributes: true } })
	const batches = present
		? correlator.process(decoder.decode(rawBatch(RECORDS.map(httpRecord), { processes: [processFact()] })))
		: []
	const spans = batches.flatMap((batch) => batch.spans)

	it('know every attribute key that is not our own, with none deprecated', () => {
		for (const { name } of Object.values(KEY)) {
			if (name.startsWith('vor.') || ELSEWHERE.has(name)) continue
			expect(Object.keys(registry.attributes), name).toContain(name)
			expect(registry.attributes[name]!.deprecated, name).toBeUndefined()
		}
	})

	it('have every attribute of our spans, with our type', () => {
		expect(spans).toHaveLength(RECORDS.length)
		for (const span of spans)
			for (const [name, value] of pairs(span.attributes)) {
				if (name.startsWith('vor.') || ELSEWHERE.has(name)) continue
				const declared = registry.attributes[name]!.type
				if (['string', 'int', 'double', 'boolean'].includes(declared))
					expect([name, typeOf(value)]).toEqual([name, declared])
			}
	})

	it('get every attribute they require of a span', () => {
		for (const span of spans) {
			const kind = span.kind === 2 ? 'span.http.server' : 'span.http.client'
			const names = pairs(span.attributes).map(([name]) => name)
			const isConnect = span.exchange.methodName === 'CONNECT'
			for (const [name, { level }] of Object.entries(registry.spans[kind]!.attributes)) {
				// CONNECT has an authority and no URL.
				if (level.startsWith('Required') && !(isConnect && name === 'url.full'))
					expect(names, `${kind} ${span.name}`).toContain(name)
			}
		}
	})

	it('name our metrics, units, buckets and attributes', () => {
		const aggregator = createAggregator({ meter: createAccounting().meter('/', 'aggregate'), resourceOf })
		for (const batch of batches) aggregator.process(batch)
		const { metrics } = aggregator.collect(200e9, { seconds: 1_700_000_000, nanos: 0 })
		expect(new Set(metrics.map((metric) => metric.name)).size).toBe(6)
		for (const metric of metrics) {
			const known = registry.metrics[metric.name]
			expect(known, metric.name).toBeDefined()
			expect([metric.name, metric.unit]).toEqual([metric.name, known!.unit])
			expect(known!.instrument).toBe('Histogram')
			if (metric.kind !== 'histogram') throw new Error('not a histogram')
			if (known!.buckets != null) expect(metric.bounds).toEqual(known!.buckets)
			for (const point of metric.points) {
				const names = pairs(point.attributes).map(([name]) => name)
				for (const name of names) expect(Object.keys(known!.attributes), metric.name).toContain(name)
				for (const [name, { level }] of Object.entries(known!.attributes))
					if (level.startsWith('Required')) expect(names, metric.name).toContain(name)
			}
		}
	})
})
