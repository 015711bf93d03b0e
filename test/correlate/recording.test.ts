import { beforeAll, describe, expect, it } from 'vitest'
import { HEADER, RECORD_LAYOUT } from '../../src/capture/layout.ts'
import { createCorrelator } from '../../src/correlate/index.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import { SPAN_KIND, type Span, STATUS_CODE } from '../../src/model/span.ts'
import { createDescribers, createProtocolDecoder } from '../../src/protocols/index.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { type Recorded, recorded } from '../helpers/recording.ts'
import { attribute, imbalance, resourceOf, totalsOf } from '../protocols/support/pipeline.ts'

let scene: Recorded
let batches: RawBatch[]
beforeAll(async () => {
	scene = await recorded()
	batches = scene.batches()
}, 300_000)

function correlateAll(raw: readonly RawBatch[]) {
	const accounting = createAccounting()
	const decoder = createProtocolDecoder(RECORD_LAYOUT, accounting.meter('/', 'decode'))
	const correlator = createCorrelator({
		meter: accounting.meter('/', 'correlate'),
		describers: createDescribers({ profile: 'grafana', debugAttributes: false }),
		resourceOf,
	})
	const parts = raw.flatMap((batch) => correlator.process(decoder.decode(batch)))
	parts.push(...correlator.flush())
	return { parts, spans: parts.flatMap((part) => part.spans), correlator, accounting }
}

/** The same records and facts, one record a batch; the facts of a batch go before its records, as in the original. */
function oneByOne(batch: RawBatch): RawBatch[] {
	const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.length)
	const out: RawBatch[] = [{ ...batch, length: 0, records: 0 }]
	for (let at = 0; at < batch.length; ) {
		const size = view.getUint16(at + HEADER.sizeAt, true)
		const bytes = batch.bytes.subarray(at, at + size)
		out.push({ ...batch, bytes, length: size, records: 1, processes: [], fallback: [] })
		at += size
	}
	return out
}

const serviceOf: Readonly<Record<string, string>> = {
	nginx: 'nginx',
	python: 'python_server',
	node: 'node-server',
	go: 'go-server',
}
const pathOf = (span: Span) => span.exchange.target.replace(/\?.*/, '')
const brief = (span: Span) => ({
	name: span.name,
	kind: span.kind,
	service: span.resource.serviceName,
	start: span.startNs,
	end: span.endNs,
	status: span.statusCode,
	error: span.errorType,
	route: span.route,
	attributes: span.attributes.map((each) => (typeof each === 'object' && 'name' in each ? each.name : each)),
})

describe('spans of a recording', () => {
	it('are as many as the exchanges, but for those that are filtered', () => {
		const { accounting, correlator, spans, parts } = correlateAll(batches)
		expect(imbalance(accounting, 'correlate')).toBe(0)
		expect(correlator.held).toBe(0)
		const totals = totalsOf(accounting, 'correlate')
		expect(totals.received).toBe(totalsOf(accounting, 'decode').produced.get('exchange'))
		expect(totals.sent).toBe(spans.length)
		expect([...totals.dropped.keys()].filter((reason) => reason !== 'filtered')).toEqual([])
		for (const part of parts) expect(part.spans.length).toBeLessThanOrEqual(512)
	})

	it('have the service, name, status and sizes of what was sent', () => {
		const { spans } = correlateAll(batches)
		for (const request of scene.truth.requests) {
			const { pid, port } = scene.truth.programs[request.program]!
			const mine = spans.filter((span) => pathOf(span) === request.path)
			const server = mine.filter((span) => span.kind === SPAN_KIND.server && span.exchange.localPort === port)
			const client = mine.filter(
				(span) => span.kind === SPAN_KIND.client && span.exchange.remotePort === port,
			)
			expect(server, request.path).toHaveLength(1)
			expect(client, request.path).toHaveLength(1)
			expect(server[0]!.resource.serviceName).toBe(serviceOf[request.program])
			expect(client[0]!.resource.serviceName).toBe('curl')
			// nginx serves from a worker, whose pid only it knows.
			if (request.program !== 'nginx') expect(server[0]!.exchange.pid).toBe(pid)
			for (const span of [server[0]!, client[0]!]) {
				expect(span.name).toMatch(new RegExp(`^${request.method}\\b`))
				expect(attribute(span, 'http.request.method')).toBe(request.method)
				expect(attribute(span, 'http.response.status_code')).toBe(request.status)
				expect(attribute(span, 'http.response.body.size') ?? 0).toBe(request.responseBody)
				expect(attribute(span, 'http.request.body.size') ?? 0).toBe(request.requestBody)
			}
			const failed = request.status >= 500
			expect(server[0]!.statusCode).toBe(failed ? STATUS_CODE.error : STATUS_CODE.unset)
			expect(client[0]!.statusCode).toBe(request.status >= 400 ? STATUS_CODE.error : STATUS_CODE.unset)
			expect(client[0]!.errorType).toBe(request.status >= 400 ? String(request.status) : '')
		}
	})

	it('name no process that is not known', () => {
		const { spans } = correlateAll(batches)
		const ports = new Set(Object.values(scene.truth.programs).map(({ port }) => port))
		const mine = spans.filter(
			({ exchange: { localPort, remotePort } }) => ports.has(localPort) || ports.has(remotePort),
		)
		expect(mine.length).toBeGreaterThanOrEqual(2 * scene.truth.requests.length)
		expect(mine.filter((span) => span.resource.serviceName === 'unknown_service')).toEqual([])
	})

	it('do not depend on how the records were cut into batches', () => {
		const whole = correlateAll(batches).spans.map(brief)
		const single = correlateAll(batches.flatMap(oneByOne)).spans.map(brief)
		expect(single).toEqual(whole)
	})

	it('keep evidence and its absence apart: every client span is counted in one of them', () => {
		const { correlator, spans } = correlateAll(batches)
		const { parentAbsent, parentByEvidence } = correlator.counters
		const absent = parentAbsent.reduce((sum, count) => sum + count, 0)
		const evident = parentByEvidence.reduce((sum, count) => sum + count, 0)
		const clients = spans.filter((span) => span.kind === SPAN_KIND.client).length
		const servers = spans.filter(
			(span) => span.kind === SPAN_KIND.server && span.exchange.evidence !== 0,
		).length
		expect(absent + evident).toBe(clients + servers)
	})
})
