import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpanBatch } from '../../src/model/batch.ts'
import { HTTP_FLAG } from '../../src/model/record.ts'
import type { Span } from '../../src/model/span.ts'
import { createPropagator, type PropagatorOptions } from '../../src/propagate/index.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { decodeAndCorrelate, imbalance, totalsOf } from '../protocols/support/pipeline.ts'
import {
	ANSWERED,
	freshId,
	type HttpRecord,
	httpRecord,
	processFact,
	rawBatch,
} from '../protocols/support/records.ts'

const KEYED = ANSWERED | HTTP_FLAG.joinKey
const SERVER_AT: [string, number] = ['127.0.0.1', 8080]
const CLIENT_AT: [string, number] = ['127.0.0.1', 40000]

function propagator(options: Partial<PropagatorOptions> = {}) {
	const accounting = createAccounting()
	const { decoder, correlator } = decodeAndCorrelate()
	const engine = createPropagator({ meter: accounting.meter('/', 'propagate'), ...options })
	const run = (records: HttpRecord[], timeNs = 101e9): Span[] =>
		correlator
			.process(decoder.decode(rawBatch(records.map(httpRecord), { timeNs, processes: [processFact()] })))
			.flatMap((batch) => engine.process(batch))
			.flatMap((batch) => batch.spans)
	return { accounting, engine, run }
}

const server = (fields: HttpRecord = {}): HttpRecord => ({
	role: 1,
	local: SERVER_AT,
	remote: CLIENT_AT,
	joinSeq: 1,
	flags: KEYED,
	...fields,
})
const client = (fields: HttpRecord = {}): HttpRecord => ({
	role: 2,
	local: CLIENT_AT,
	remote: SERVER_AT,
	joinSeq: 1,
	flags: KEYED,
	...fields,
})

function ids(span: Span): { trace: string; span: string; parent: string } {
	const hex = Buffer.from(span.ids).toString('hex', span.idsAt, span.idsAt + 32)
	return { trace: hex.slice(0, 32), span: hex.slice(32, 48), parent: hex.slice(48) }
}

const NONE = '0'.repeat(16)
const side = (spans: Span[], kind: number): Span => spans.find((span) => span.kind === kind)!

describe('propagate', () => {
	it.each(['server first', 'client first', 'server a batch earlier', 'client a batch earlier'])(
		'puts the server span under the client span of the same request: %s',
		(order) => {
			const { run, accounting, engine } = propagator()
			const records = [server(), client()]
			if (order.startsWith('client')) records.reverse()
			const spans = order.includes('batch') ? records.flatMap((record) => run([record])) : run(records)
			const [s, c] = [side(spans, 2), side(spans, 3)]
			expect(ids(s).trace).toBe(ids(c).trace)
			expect(ids(s).parent).toBe(ids(c).span)
			expect(ids(c).parent).toBe(NONE)
			expect([s.remoteParent, c.remoteParent]).toEqual([true, false])
			expect(engine.counters.adopted).toBe(1)
			expect(imbalance(accounting, 'propagate')).toBe(0)
		},
	)

	it('joins over a unix socket by the two inodes', () => {
		const { run } = propagator()
		const unix = { family: 1, local: undefined, remote: undefined } as unknown as HttpRecord
		const spans = run([
			server({ ...unix, sock: 50, peerSock: 51 }),
			client({ ...unix, sock: 60, peerSock: 61 }),
			client({ ...unix, sock: 51, peerSock: 50 }),
		])
		const s = side(spans, 2)
		expect(ids(s).parent).toBe(ids(spans.find((span) => span.exchange.socketInode === 51)!).span)
	})

	it.each([
		['another sequence number', { joinSeq: 2 }],
		['another network namespace', { netns: 1 }],
		['another client port', { local: ['127.0.0.1', 40001] as [string, number] }],
		['another server port', { remote: ['127.0.0.1', 8081] as [string, number] }],
		['another address', { remote: ['127.0.0.2', 8080] as [string, number] }],
		['no key', { flags: ANSWERED }],
	])('does not join with %s', (_, fields) => {
		const { run, engine } = propagator()
		run([server(), client(fields)])
		expect(engine.held).toBe(1)
		const [s] = engine.flush(103e9).flatMap((batch) => batch.spans)
		expect(ids(s!).parent).toBe(NONE)
		expect(s!.remoteParent).toBe(false)
		expect(engine.counters.timeouts).toBe(1)
	})

	it('leaves a header of another trace its say', () => {
		const { run, engine } = propagator()
		const header = freshId(16)
		const spans = run([
			server({
				flags: KEYED | HTTP_FLAG.traceparent,
				traceId: header,
				headerTraceId: header,
				parentSpanId: 'cd'.repeat(8),
				evidence: 1,
			}),
			client(),
		])
		expect(ids(side(spans, 2))).toMatchObject({ trace: header, parent: 'cd'.repeat(8) })
		expect(side(spans, 2).remoteParent).toBe(true)
		expect(engine.counters.headerWon).toBe(1)
	})

	it('takes the client span as parent when the header names the client’s own trace', () => {
		const { run } = propagator()
		const trace = freshId(16)
		const spans = run([
			server({
				flags: KEYED | HTTP_FLAG.traceparent,
				traceId: trace,
				headerTraceId: trace,
				parentSpanId: 'cd'.repeat(8),
				evidence: 1,
			}),
			client({ traceId: trace, parentSpanId: 'cd'.repeat(8), evidence: 4 }),
		])
		expect(ids(side(spans, 2))).toMatchObject({ trace, parent: ids(side(spans, 3)).span })
	})

	it('passes on at once what the kernel joined and what comes from another host', () => {
		const { run, engine } = propagator()
		const trace = freshId(16)
		const spans = run([
			server({ flags: KEYED | HTTP_FLAG.joined, traceId: trace, parentSpanId: 'ab'.repeat(8), evidence: 2 }),
			server({ joinSeq: 2, local: ['192.0.2.1', 80], remote: ['192.0.2.99', 5000] }),
		])
		expect(spans).toHaveLength(2)
		expect(ids(spans[0]!)).toMatchObject({ trace, parent: 'ab'.repeat(8) })
		expect(spans[0]!.remoteParent).toBe(true)
		expect(engine.held).toBe(0)
	})

	it('moves the client, not the server, when the server’s trace already has exported spans', () => {
		const { run, engine } = propagator()
		const trace = freshId(16)
		const [child] = run([
			client({
				joinSeq: 9,
				remote: ['127.0.0.1', 9999],
				traceId: trace,
				parentSpanId: 'ab'.repeat(8),
				evidence: 3,
			}),
		])
		const spans = run([server({ traceId: trace, spanId: 'ab'.repeat(8) }), client()])
		const [s, c] = [side(spans, 2), side(spans, 3)]
		expect([ids(child!).trace, ids(s).trace, ids(c).trace]).toEqual([trace, trace, trace])
		expect(ids(s).parent).toBe(ids(c).span)
		expect(engine.counters.clientMoved).toBe(1)
	})

	it('leaves both alone when both traces have exported spans', () => {
		const { run, engine } = propagator()
		const trace = freshId(16)
		run([
			client({
				joinSeq: 9,
				remote: ['127.0.0.1', 9999],
				traceId: trace,
				parentSpanId: 'ab'.repeat(8),
				evidence: 3,
			}),
		])
		const spans = run([
			server({ traceId: trace, spanId: 'ab'.repeat(8) }),
			client({ parentSpanId: 'ef'.repeat(8), evidence: 3 }),
		])
		expect(ids(side(spans, 2))).toMatchObject({ trace, parent: NONE })
		expect(engine.counters.conflicts).toBe(1)
	})

	it('takes a child that ends after its moved parent along', () => {
		const { run } = propagator()
		const trace = freshId(16)
		const spans = run([server({ traceId: trace, spanId: 'ab'.repeat(8) }), client()])
		const [late] = run([
			client({
				joinSeq: 9,
				remote: ['127.0.0.1', 9999],
				traceId: trace,
				parentSpanId: 'ab'.repeat(8),
				evidence: 3,
			}),
		])
		expect(ids(late!).trace).toBe(ids(side(spans, 3)).trace)
		expect(ids(late!).parent).toBe('ab'.repeat(8))
	})

	it('holds no longer than asked and no more than asked', () => {
		const { run, engine, accounting } = propagator({ holdMs: 100, maxHeld: 3 })
		const many = Array.from({ length: 5 }, (_, i) => server({ joinSeq: i }))
		expect(run(many, 101e9)).toHaveLength(2)
		expect([engine.held, engine.counters.evicted, totalsOf(accounting, 'propagate').held()]).toEqual([
			3, 2, 3,
		])
		expect(imbalance(accounting, 'propagate')).toBe(0)
		expect(run([], 101.05e9)).toHaveLength(0)
		expect(run([], 101.1e9)).toHaveLength(3)
		expect(engine.flush(200e9, true)).toEqual([])
		expect(imbalance(accounting, 'propagate')).toBe(0)
	})

	it('waits no second time on a connection whose client end is not traced', () => {
		const { run, engine, accounting } = propagator()
		const at = (seq: number, seconds: number) => run([server({ joinSeq: seq })], seconds * 1e9)
		expect(at(1, 101)).toHaveLength(0)
		// The first is over its hold; the second comes with it and still waits.
		expect(at(2, 102.5)).toHaveLength(1)
		expect(at(3, 102.6)).toHaveLength(1)
		expect(engine.counters).toMatchObject({ timeouts: 1, solitary: 1 })
		// Another connection waits as ever.
		run([server({ joinSeq: 4, remote: ['127.0.0.1', 40009] })], 102.7e9)
		expect(engine.held).toBe(2)
		// Some seconds later one request waits again.
		run([], 108e9)
		run([], 114e9)
		expect(at(5, 114.1)).toHaveLength(0)
		expect(imbalance(accounting, 'propagate')).toBe(0)
	})

	it('learns from who had to go early, too, that a connection has no client end that is traced', () => {
		const { run, engine, accounting } = propagator({ maxHeld: 32 })
		const on = (port: number, seq: number) => server({ joinSeq: seq, remote: ['127.0.0.1', port] })
		run(
			Array.from({ length: 32 }, (_, i) => on(40_001, i)),
			101e9,
		)
		// A sixteenth at once. What has waited for less than the drains are apart may still meet its client.
		expect(run([on(40_002, 0)], 101.04e9)).toHaveLength(2)
		expect(run([on(40_001, 100)], 101.045e9)).toHaveLength(0)
		expect(run([on(40_002, 1)], 101.05e9)).toHaveLength(2)
		expect(engine.counters).toMatchObject({ evicted: 4, solitary: 0 })
		expect(run([on(40_001, 101), on(40_002, 2)], 101.06e9)).toHaveLength(1)
		expect(engine.counters).toMatchObject({ evicted: 4, solitary: 1 })
		expect(imbalance(accounting, 'propagate')).toBe(0)
	})

	it('waits again on a connection as soon as a client span of it was seen', () => {
		const { run, engine } = propagator()
		run([server({ joinSeq: 1 })], 101e9)
		run([], 102.5e9)
		run([client({ joinSeq: 2 })], 102.6e9)
		run([server({ joinSeq: 3 })], 102.7e9)
		expect(engine.held).toBe(1)
		const spans = run([client({ joinSeq: 3 })], 102.8e9)
		expect(ids(side(spans, 2)).parent).toBe(ids(side(spans, 3)).span)
	})

	it('gives everything at the end, in batches of at most 512', () => {
		const { run, engine, accounting } = propagator()
		run(Array.from({ length: 1200 }, (_, i) => server({ joinSeq: i })))
		const sizes = engine.flush(101e9, true).map((batch: SpanBatch) => batch.spans.length)
		expect(sizes).toEqual([512, 512, 176])
		expect(imbalance(accounting, 'propagate')).toBe(0)
	})

	it('never exports a span whose parent is in another trace, in whatever order the ends come', () => {
		// Chains client → server → client → server …, all joins left to us; records in any order that the kernel can give.
		const chain = (depth: number, n: number): HttpRecord[] => {
			const records: HttpRecord[] = []
			let parent: { trace: string; span: string } | undefined
			for (let level = 0; level < depth; level++) {
				const at: [string, number] = ['127.0.0.1', 8000 + level]
				const from: [string, number] = ['127.0.0.1', 30000 + n * 10 + level]
				const [c, s] = [freshId(8), freshId(8)]
				const trace = parent?.trace ?? freshId(16)
				const serverTrace = freshId(16)
				records.push(
					client({
						joinSeq: n * 100 + level,
						local: from,
						remote: at,
						traceId: trace,
						spanId: c,
						...(parent === undefined ? {} : { parentSpanId: parent.span, evidence: 3 }),
					}),
					server({ joinSeq: n * 100 + level, local: at, remote: from, traceId: serverTrace, spanId: s }),
				)
				parent = { trace: serverTrace, span: s }
			}
			return records
		}
		fc.assert(
			fc.property(
				fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
				fc.array(fc.nat(1000), { minLength: 32, maxLength: 32 }),
				fc.integer({ min: 1, max: 5 }),
				(depths, order, perBatch) => {
					const { run, engine, accounting } = propagator()
					const records = depths
						.flatMap((depth, n) => chain(depth, n))
						.map((record, i) => ({ record, rank: order[i % order.length]! }))
						.sort((a, b) => a.rank - b.rank)
						.map(({ record }) => record)
					const spans: Span[] = []
					for (let i = 0; i < records.length; i += perBatch)
						spans.push(...run(records.slice(i, i + perBatch)))
					const exported = spans.map(ids)
					spans.push(...engine.flush(500e9, true).flatMap((batch) => batch.spans))
					// What was exported did not change afterwards.
					expect(spans.slice(0, exported.length).map(ids)).toEqual(exported)
					const bySpan = new Map(spans.map((span) => [ids(span).span, ids(span).trace]))
					expect(bySpan.size).toBe(records.length)
					for (const span of spans) {
						const { parent, trace } = ids(span)
						if (parent !== NONE) expect(bySpan.get(parent)).toBe(trace)
					}
					expect(imbalance(accounting, 'propagate')).toBe(0)
				},
			),
			{ numRuns: 500 },
		)
	})
})
