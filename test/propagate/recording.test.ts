import { beforeAll, describe, expect, it } from 'vitest'
import { RECORD_LAYOUT } from '../../src/capture/layout.ts'
import { createCorrelator } from '../../src/correlate/index.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import { ID_OFFSET } from '../../src/model/record.ts'
import { SPAN_KIND, type Span } from '../../src/model/span.ts'
import { createPropagator } from '../../src/propagate/index.ts'
import { createDescribers, createProtocolDecoder } from '../../src/protocols/index.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { type Recorded, recorded } from '../helpers/recording.ts'
import { imbalance, resourceOf, totalsOf } from '../protocols/support/pipeline.ts'

let scene: Recorded
let batches: RawBatch[]
beforeAll(async () => {
	scene = await recorded()
	batches = scene.batches()
}, 300_000)

function propagateAll(raw: readonly RawBatch[]) {
	const accounting = createAccounting()
	const decoder = createProtocolDecoder(RECORD_LAYOUT, accounting.meter('/', 'decode'))
	const correlator = createCorrelator({
		meter: accounting.meter('/', 'correlate'),
		describers: createDescribers({ profile: 'grafana', debugAttributes: false }),
		resourceOf,
	})
	const propagator = createPropagator({ meter: accounting.meter('/', 'propagate') })
	const out = raw.flatMap((batch) =>
		correlator.process(decoder.decode(batch)).flatMap((part) => propagator.process(part)),
	)
	for (const part of correlator.flush()) out.push(...propagator.process(part))
	out.push(...propagator.flush(raw.at(-1)?.timeNs ?? 0, true))
	return { spans: out.flatMap((part) => part.spans), parts: out, propagator, accounting }
}

const hex = (span: Span, at: number, length: number) =>
	Buffer.from(span.ids.buffer, span.ids.byteOffset + span.idsAt + at, length).toString('hex')
const traceOf = (span: Span) => hex(span, ID_OFFSET.traceId, 16)
const idOf = (span: Span) => hex(span, ID_OFFSET.spanId, 8)
const parentOf = (span: Span) => hex(span, ID_OFFSET.parentSpanId, 8)
const pathOf = (span: Span) => span.exchange.target.replace(/\?.*/, '')
const ZERO = '0'.repeat(16)

describe('traces of a recording', () => {
	it('lose no span and hold none back', () => {
		const { accounting, propagator, spans, parts } = propagateAll(batches)
		expect(imbalance(accounting, 'propagate')).toBe(0)
		expect(propagator.held).toBe(0)
		expect(totalsOf(accounting, 'propagate').received).toBe(
			totalsOf(accounting, 'correlate').produced.get('span'),
		)
		expect(totalsOf(accounting, 'propagate').sent).toBe(spans.length)
		for (const part of parts) expect(part.spans.length).toBeLessThanOrEqual(512)
	})

	it('have span ids that are not zero and stand once', () => {
		const { spans } = propagateAll(batches)
		const ids = spans.map(idOf)
		expect(new Set(ids).size).toBe(ids.length)
		expect(ids).not.toContain(ZERO)
		expect(spans.map(traceOf)).not.toContain('0'.repeat(32))
	})

	it('have every parent in the same trace', () => {
		const { spans } = propagateAll(batches)
		const traces = new Map(spans.map((span) => [idOf(span), traceOf(span)]))
		let parents = 0
		for (const span of spans) {
			const trace = traces.get(parentOf(span))
			if (trace === undefined) continue
			parents++
			expect(trace, `${span.name} of ${span.resource.serviceName}`).toBe(traceOf(span))
		}
		// At the least: each request's server under curl, and four links of each chain.
		const { requests } = scene.truth
		const chains = requests.filter((each) => each.chain).length
		expect(parents).toBeGreaterThanOrEqual(requests.length - 2 + 4 * chains)
	})

	it('have no parent that ended before its child began', () => {
		const { spans } = propagateAll(batches)
		const byId = new Map(spans.map((span) => [idOf(span), span]))
		for (const span of spans) {
			const parent = byId.get(parentOf(span))
			if (parent !== undefined) expect(parent.startNs).toBeLessThanOrEqual(span.startNs)
			if (parent !== undefined) expect(parent.endNs).toBeGreaterThanOrEqual(span.startNs)
		}
	})

	it('go through nginx, Python and Node with six spans each under its caller, and never mix', () => {
		const { spans } = propagateAll(batches)
		const seen = new Set<string>()
		for (const request of scene.truth.requests.filter((each) => each.chain)) {
			const last = request.path.replace('/front/pass', '')
			const mine = spans.filter((span) => pathOf(span) === request.path || pathOf(span) === last)
			const order: [string, number][] = [
				['curl', SPAN_KIND.client],
				['nginx', SPAN_KIND.server],
				['nginx', SPAN_KIND.client],
				['python_server', SPAN_KIND.server],
				['python_server', SPAN_KIND.client],
				['node-server', SPAN_KIND.server],
			]
			const chain = order.map(([service, kind]) => {
				const found = mine.filter((span) => span.resource.serviceName === service && span.kind === kind)
				expect(found, `${service} of ${request.path}`).toHaveLength(1)
				return found[0]!
			})
			expect(mine).toHaveLength(6)
			const inbound = request.traceId !== ''
			for (let i = 1; i < chain.length; i++) {
				const [above, below] = [chain[i - 1]!, chain[i]!]
				expect(traceOf(below), `${order[i]} of ${request.path}`).toBe(traceOf(above))
				// A curl that was given a traceparent speaks for the span of that header.
				const parents = i === 1 && inbound ? [idOf(above), '00f067aa0ba902b7'] : [idOf(above)]
				expect(parents, `${order[i]} of ${request.path}`).toContain(parentOf(below))
			}
			if (inbound) expect(traceOf(chain[0]!)).toBe(request.traceId)
			expect(seen.has(traceOf(chain[0]!))).toBe(false)
			seen.add(traceOf(chain[0]!))
		}
		expect(seen.size).toBeGreaterThan(20)
	})

	it('are the same in every run', () => {
		const ids = () => propagateAll(batches).spans.map((span) => [traceOf(span), idOf(span), parentOf(span)])
		expect(ids()).toEqual(ids())
	})
})
