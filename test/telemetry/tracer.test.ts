import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SpanBatch } from '../../src/model/batch.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { OwnTracer } from '../../src/telemetry/tracer.ts'

afterEach(() => void vi.useRealTimers())

function make() {
	let nowNs = 1000
	let clocks = 0
	const accounting = createAccounting()
	const batches: SpanBatch[] = []
	const tracer = new OwnTracer({
		accounting,
		resource: () => ({
			attributes: [],
			serviceName: 'vor',
			serviceNamespace: '',
			serviceInstanceId: '',
			encoded: undefined,
		}),
		clock: () => {
			clocks++
			return { now: () => (nowNs += 10), offset: () => ({ seconds: 5, nanos: 0 }), refresh() {} }
		},
	})
	const keep = (fraction: number, sendTraceparent = false) =>
		tracer.configure({ fraction, sendTraceparent, emit: (batch) => void batches.push(batch) })
	const spans = () => batches.flatMap((batch) => batch.spans)
	const totals = () => accounting.totals().find(({ id }) => id === 'tracing')
	return { tracer, keep, batches, spans, totals, clocks: () => clocks }
}
const id = (ids: Uint8Array, from: number, to: number) => Buffer.from(ids.subarray(from, to)).toString('hex')

describe('the traces of Vör itself', () => {
	it('are not made while nobody asked for them: no span, no clock, no stage', () => {
		const { tracer, keep, clocks, totals } = make()
		expect(tracer.root('a')).toBeUndefined()
		keep(0)
		expect(tracer.root('a')).toBeUndefined()
		tracer.configure({ fraction: 1, sendTraceparent: false, emit: undefined })
		expect(tracer.root('a')).toBeUndefined()
		expect([clocks(), totals()]).toEqual([0, undefined])
	})

	it('hold together: one trace id, children below their parents, times within theirs, problems as status', () => {
		const { tracer, keep, spans, totals } = make()
		keep(1)
		const root = tracer.root('load')!
		root.set('path', 'x')
		const child = root.child('node')
		child.end('no such file')
		child.end()
		root.end()
		tracer.flush()
		const [node, load] = spans()
		expect(load).toMatchObject({ name: 'load', kind: 1, statusCode: 1, skipMetrics: true, traceFlags: 1 })
		expect(node).toMatchObject({ name: 'node', statusCode: 2, statusMessage: 'no such file' })
		expect(id(node!.ids, 0, 16)).toBe(id(load!.ids, 0, 16))
		expect(id(node!.ids, 24, 32)).toBe(id(load!.ids, 16, 24))
		expect(id(load!.ids, 24, 32)).toBe('0'.repeat(16))
		expect(node!.startNs).toBeGreaterThan(load!.startNs)
		expect(node!.endNs).toBeLessThan(load!.endNs)
		expect(totals()).toMatchObject({ received: 2, sent: 2 })
	})

	it('are kept or not as a whole, in the share that was asked for', () => {
		const { tracer, keep, spans } = make()
		keep(0.25)
		let kept = 0
		for (let i = 0; i < 2000; i++) {
			const root = tracer.root('a')
			if (root === undefined) continue
			kept++
			root.child('b').end()
			root.end()
			if (i % 100 === 0) tracer.flush()
		}
		tracer.flush()
		// Five standard deviations of a binomial with 2000 tries.
		expect(Math.abs(kept - 500)).toBeLessThan(97)
		expect(spans()).toHaveLength(2 * kept)
	})

	it('of the load that brings the block are decided by what it says', () => {
		const { tracer, keep, spans, totals } = make()
		tracer.expect()
		const first = tracer.root('load')!
		first.child('parse').end()
		keep(1)
		first.end()
		tracer.forget()
		tracer.flush()
		expect(spans().map(({ name }) => name)).toEqual(['parse', 'load'])
		expect(totals()).toMatchObject({ received: 2, sent: 2 })

		const other = make()
		other.tracer.expect()
		const root = other.tracer.root('load')!
		root.child('parse').end()
		root.end()
		other.tracer.forget()
		other.keep(1)
		other.tracer.flush()
		expect(other.spans()).toEqual([])
		expect(other.tracer.root('next')).toBeDefined()
	})

	it('go out within a second, in batches of at most 512, and beyond 2048 that wait are dropped and counted', () => {
		vi.useFakeTimers()
		const { tracer, keep, batches, spans, totals } = make()
		keep(1)
		for (let i = 0; i < 2100; i++) tracer.root('a')!.end()
		expect(totals()!.held()).toBe(2048)
		vi.advanceTimersByTime(1000)
		expect(batches.map((batch) => batch.spans.length)).toEqual([512, 512, 512, 512])
		expect(batches[0]!.clockOffset).toEqual({ seconds: 5, nanos: 0 })
		const { received, sent, dropped, held } = totals()!
		expect([received, sent, held()]).toEqual([2100, 2048, 0])
		expect([...dropped]).toEqual([['queue_full', { count: 52, intentional: false }]])
		vi.advanceTimersByTime(5000)
		expect(spans()).toHaveLength(2048)
	})

	it('go to the consumers of the time when they were made', () => {
		const { tracer, keep, spans } = make()
		keep(1)
		tracer.root('before')!.end()
		const other: SpanBatch[] = []
		tracer.configure({ fraction: 1, sendTraceparent: false, emit: (batch) => void other.push(batch) })
		tracer.root('after')!.end()
		tracer.flush()
		expect(spans().map(({ name }) => name)).toEqual(['before'])
		expect(other.flatMap((batch) => batch.spans).map(({ name }) => name)).toEqual(['after'])
	})

	it('name themselves to others only when that was asked for', () => {
		const { tracer, keep, spans } = make()
		keep(1)
		expect(tracer.root('a')!.traceparent).toBeUndefined()
		keep(1, true)
		const root = tracer.root('b')!
		const header = root.traceparent
		root.end()
		tracer.flush()
		const { ids } = spans().at(-1)!
		expect(header).toBe(`00-${id(ids, 0, 16)}-${id(ids, 16, 24)}-01`)
	})
})
