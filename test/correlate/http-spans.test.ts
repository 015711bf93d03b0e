import { describe, expect, it } from 'vitest'
import { HTTP_FLAG } from '../../src/model/record.ts'
import type { Span } from '../../src/model/span.ts'
import {
	attribute,
	attributeNames,
	decodeAndCorrelate,
	imbalance,
	totalsOf,
} from '../protocols/support/pipeline.ts'
import { ANSWERED, type HttpRecord, httpRecord, processFact, rawBatch } from '../protocols/support/records.ts'

const SERVER = 1
const CLIENT = 2

function spanOf(record: HttpRecord, options: Parameters<typeof decodeAndCorrelate>[0] = {}): Span {
	const { decoder, correlator } = decodeAndCorrelate(options)
	const batches = correlator.process(
		decoder.decode(rawBatch([httpRecord(record)], { processes: [processFact()] })),
	)
	return batches[0]!.spans[0]!
}

function attributesOf(span: Span): Record<string, unknown> {
	return Object.fromEntries(attributeNames(span).map((name) => [name, attribute(span, name)]))
}

describe('an HTTP server span', () => {
	it('says what was asked and answered', () => {
		const span = spanOf({
			role: SERVER,
			target: '/users/list?name=x',
			host: 'shop.example:8443',
			requestBody: 3,
			responseBody: 99,
			local: ['10.0.0.1', 8080],
			remote: ['10.0.0.2', 33333],
			arrivalNs: 99_500_000_000,
		})
		expect([span.name, span.kind, span.statusCode, span.route, span.traceFlags]).toEqual([
			'GET /users/list',
			2,
			0,
			'/users/list',
			1,
		])
		expect([span.startNs, span.endNs]).toEqual([100_000_000_000, 100_002_000_000])
		expect(span.resource.serviceName).toBe('shop')
		expect(attributesOf(span)).toEqual({
			'http.request.method': 'GET',
			'url.scheme': 'http',
			'url.path': '/users/list',
			'url.query': 'name=x',
			'http.route': '/users/list',
			'server.address': 'shop.example',
			'server.port': 8443,
			'client.address': '10.0.0.2',
			'vor.queue.duration': { double: 0.5 },
			'http.response.status_code': 200,
			'network.protocol.version': '1.1',
			'http.request.body.size': 3,
			'http.response.body.size': 99,
			'network.peer.address': '10.0.0.2',
			'network.peer.port': 33333,
		})
	})

	it.each([
		[200, 0, undefined],
		[404, 0, undefined],
		[500, 2, '500'],
		[503, 2, '503'],
	])('with status %i has span status %i and error.type %s', (status, statusCode, errorType) => {
		const span = spanOf({ role: SERVER, status })
		expect([span.statusCode, attribute(span, 'error.type')]).toEqual([statusCode, errorType])
		expect(span.errorType).toBe(errorType ?? '')
	})

	it('without a response has no status and no body size, and says so', () => {
		const span = spanOf({ role: SERVER, flags: HTTP_FLAG.closed, status: 0 })
		expect(attribute(span, 'vor.response.observed')).toBe(false)
		expect(attributeNames(span)).not.toContain('http.response.status_code')
		expect(attributeNames(span)).not.toContain('http.response.body.size')
		expect([span.statusCode, span.errorType]).toEqual([0, ''])
	})

	it('whose connection was reset before the response was complete is an error', () => {
		const reset = spanOf({ role: SERVER, flags: HTTP_FLAG.closed | HTTP_FLAG.peerReset })
		expect([reset.statusCode, reset.errorType]).toEqual([2, 'connection_reset'])
		const after = spanOf({ role: SERVER, flags: ANSWERED | HTTP_FLAG.peerReset })
		expect([after.statusCode, after.errorType]).toEqual([0, ''])
	})

	it('with a foreign method is named HTTP and keeps the method', () => {
		const span = spanOf({ role: SERVER, method: 'PURGE', target: '/cache' })
		expect(span.name).toBe('HTTP /cache')
		expect(attribute(span, 'http.request.method')).toBe('_OTHER')
		expect(attribute(span, 'http.request.method_original')).toBe('PURGE')
	})

	it('over a unix socket has no addresses', () => {
		const span = spanOf({ role: SERVER, family: 1, host: '' })
		expect(attribute(span, 'network.transport')).toBe('unix')
		for (const name of ['client.address', 'network.peer.address', 'server.address', 'server.port'])
			expect(attributeNames(span)).not.toContain(name)
	})

	it('of HTTP/1.0 with an inexact size and a cut target says all three', () => {
		const span = spanOf({
			role: SERVER,
			flags: ANSWERED | HTTP_FLAG.version10 | HTTP_FLAG.sizeInexact | HTTP_FLAG.targetTruncated,
		})
		expect(attribute(span, 'network.protocol.version')).toBe('1.0')
		expect(attribute(span, 'vor.response.size.exact')).toBe(false)
		expect(attribute(span, 'vor.url.truncated')).toBe(true)
	})

	it('shows the evidence for its parent only when asked', () => {
		const record = { role: SERVER, evidence: 2, parentSpanId: 'ab'.repeat(8) }
		expect(attribute(spanOf(record), 'vor.parent.evidence')).toBeUndefined()
		const span = spanOf(record, { semconv: { debugAttributes: true } })
		expect(attribute(span, 'vor.parent.evidence')).toBe('same-host')
	})
})

describe('an HTTP client span', () => {
	const base: HttpRecord = { role: CLIENT, local: ['127.0.0.1', 40000], remote: ['127.0.0.1', 8080] }

	it('carries the full URL', () => {
		const span = spanOf({ ...base, target: '/a?b=1', host: 'localhost:8080' })
		expect([span.kind, attribute(span, 'url.full')]).toEqual([3, 'http://localhost:8080/a?b=1'])
		expect([attribute(span, 'server.address'), attribute(span, 'server.port')]).toEqual(['localhost', 8080])
		expect(attributeNames(span)).not.toContain('url.path')
		expect(attributeNames(span)).not.toContain('http.route')
		expect(attribute(span, 'url.template')).toBe('/a')
	})

	it.each([
		['/x', 'example.org', 80, 'http://example.org/x', 'example.org', 80],
		['/x', 'example.org', 8080, 'http://example.org:8080/x', 'example.org', 8080],
		['/x', '[::1]:9', 9, 'http://[::1]:9/x', '::1', 9],
		['/x', '', 8080, 'http://127.0.0.1:8080/x', '127.0.0.1', 8080],
		[
			'http://origin.example/p?q=1',
			'proxy.example:3128',
			3128,
			'http://origin.example/p?q=1',
			'origin.example',
			80,
		],
		[
			'http://u:p@origin.example:81',
			'h',
			3128,
			'http://REDACTED:REDACTED@origin.example:81/',
			'origin.example',
			81,
		],
		['/x?sig=secret&a=b', 'h:1', 1, 'http://h:1/x?sig=REDACTED&a=b', 'h', 1],
		[
			'/x?X-Amz-Signature=s&%73ig=t',
			'h:1',
			1,
			'http://h:1/x?X-Amz-Signature=REDACTED&%73ig=REDACTED',
			'h',
			1,
		],
	])('of %s at host "%s" port %i has the URL %s', (target, host, port, url, address, serverPort) => {
		const span = spanOf({ ...base, target, host, remote: ['127.0.0.1', port] })
		expect(attribute(span, 'url.full')).toBe(url)
		expect([attribute(span, 'server.address'), attribute(span, 'server.port')]).toEqual([address, serverPort])
	})

	it('of CONNECT has no URL, only where to', () => {
		const span = spanOf({
			...base,
			method: 'CONNECT',
			target: 'origin.example:443',
			host: 'origin.example:443',
		})
		expect(span.name).toBe('CONNECT')
		expect(attributeNames(span)).not.toContain('url.full')
		expect([attribute(span, 'server.address'), attribute(span, 'server.port')]).toEqual([
			'origin.example',
			443,
		])
	})

	it('with status 404 is an error', () => {
		const span = spanOf({ ...base, status: 404 })
		expect([span.statusCode, span.errorType]).toEqual([2, '404'])
	})

	it('names the peer by its host name in the grafana profile only, and not by localhost or an address', () => {
		const named = { ...base, host: 'api.example.org' }
		expect(attribute(spanOf(named), 'peer.service')).toBe('api.example.org')
		expect(attribute(spanOf(named), 'service.peer.name')).toBeUndefined()
		for (const profile of ['strict', 'beyla'] as const)
			expect(attribute(spanOf(named, { semconv: { profile } }), 'peer.service')).toBeUndefined()
		for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080'])
			expect(attribute(spanOf({ ...base, host }), 'peer.service')).toBeUndefined()
	})
})

describe('the correlator', () => {
	it('names the peer service exactly when its server side was seen at that address', () => {
		const { decoder, correlator } = decodeAndCorrelate()
		const processes = [
			processFact({ pid: 1, serviceName: 'orders' }),
			processFact({ pid: 2, serviceName: 'shop' }),
		]
		const client = {
			role: CLIENT,
			pid: 2,
			local: ['127.0.0.1', 40000] as [string, number],
			host: 'localhost',
		}
		const { spans } = correlator.process(
			decoder.decode(
				rawBatch(
					[
						httpRecord({ role: SERVER, pid: 1, local: ['127.0.0.1', 9000], netns: 7 }),
						httpRecord({ ...client, remote: ['127.0.0.1', 9000], netns: 7 }),
						httpRecord({ ...client, remote: ['127.0.0.1', 9001], netns: 7 }),
						httpRecord({ ...client, remote: ['127.0.0.1', 9000], netns: 8 }),
					],
					{ processes },
				),
			),
		)[0]!
		expect(spans.slice(1).map((span) => attribute(span, 'service.peer.name'))).toEqual([
			'orders',
			undefined,
			undefined,
		])
		expect(attribute(spans[1]!, 'peer.service')).toBe('orders')
	})

	it('leaves out rejected processes and counts them as intended', () => {
		const { decoder, correlator, accounting } = decodeAndCorrelate()
		const processes = [processFact({ selection: 'rejected' }), processFact({ pid: 101 })]
		const [batch] = correlator.process(
			decoder.decode(rawBatch([httpRecord(), httpRecord({ pid: 101 })], { processes })),
		)
		expect(batch!.spans.map((span) => span.exchange.pid)).toEqual([101])
		expect(totalsOf(accounting, 'correlate').dropped.get('filtered')).toEqual({ count: 1, intentional: true })
		expect(imbalance(accounting, 'correlate')).toBe(0)
	})

	it('tells two processes with one pid apart by their start, and forgives a /proc clock tick', () => {
		const { decoder, correlator } = decodeAndCorrelate()
		const processes = [
			processFact({ startNs: 1_000_000_000, serviceName: 'old', exitNs: 90_000_000_000 }),
			processFact({ startNs: 50_000_000_000, serviceName: 'new' }),
		]
		const [batch] = correlator.process(
			decoder.decode(
				rawBatch(
					[httpRecord({ processStartNs: 1_000_000_000 }), httpRecord({ processStartNs: 50_009_999_999 })],
					{ processes },
				),
			),
		)
		expect(batch!.spans.map((span) => span.resource.serviceName)).toEqual(['old', 'new'])
	})

	it('waits for the first fact about a process, a second at most', () => {
		const { decoder, correlator, accounting } = decodeAndCorrelate()
		const run = (pids: number[], timeNs: number, processes: ReturnType<typeof processFact>[] = []) =>
			correlator
				.process(
					decoder.decode(
						rawBatch(
							pids.map((pid) => httpRecord({ pid })),
							{ timeNs, processes },
						),
					),
				)
				.flatMap((batch) => batch.spans)
				.map((span) => [span.exchange.pid, span.resource.serviceName])
		expect(run([100, 101], 101e9)).toEqual([])
		expect([correlator.held, totalsOf(accounting, 'correlate').held()]).toEqual([2, 2])
		expect(imbalance(accounting, 'correlate')).toBe(0)
		expect(run([], 101.5e9, [processFact()])).toEqual([[100, 'shop']])
		expect(run([], 101.9e9)).toEqual([])
		expect(run([], 102e9)).toEqual([[101, 'unknown_service']])
		expect(run([101], 102.1e9)).toEqual([[101, 'unknown_service']])
		expect(run([101], 103e9, [processFact({ pid: 101 })])).toEqual([[101, 'shop']])
		expect(correlator.counters.unknownProcess).toBe(2)
		run([102], 104e9)
		expect(
			correlator.flush().flatMap((batch) => batch.spans.map((span) => span.resource.serviceName)),
		).toEqual(['unknown_service'])
		expect(correlator.flush()).toEqual([])
		expect(imbalance(accounting, 'correlate')).toBe(0)
	})

	it('keeps the Resource object while a fact says the same', () => {
		const { decoder, correlator } = decodeAndCorrelate()
		const run = (processes: ReturnType<typeof processFact>[]) =>
			correlator.process(decoder.decode(rawBatch([httpRecord()], { processes })))[0]!.spans[0]!.resource
		const first = run([processFact()])
		expect(run([processFact({ listenPorts: [80] })])).toBe(first)
		expect(run([processFact({ serviceName: 'renamed' })])).not.toBe(first)
	})

	it('recognises programs that export themselves, by fact and by behaviour', () => {
		const seen: unknown[] = []
		const { decoder, correlator } = decodeAndCorrelate({
			onOtlpExporter: (...call) => void seen.push(call),
		})
		const process = (records: HttpRecord[]) =>
			correlator
				.process(
					decoder.decode(
						rawBatch(records.map(httpRecord), {
							processes: [processFact(), processFact({ pid: 101, exportsOtlp: 'metrics' })],
						}),
					),
				)[0]!
				.spans.map((span) => [span.skipTraces, span.skipMetrics])
		const otlp = { role: CLIENT, method: 'POST', target: '/v1/traces' }
		expect(process([{ role: SERVER }, { pid: 101 }])).toEqual([
			[false, false],
			[false, true],
		])
		expect(process([{ ...otlp, status: 404 }, { role: SERVER }])[1]).toEqual([false, false])
		expect(process([otlp, otlp, { role: SERVER }])[2]).toEqual([true, false])
		expect(seen).toEqual([[100, 5_000_000_000, 'traces']])
	})

	it('counts parents by evidence and absent ones by reason', () => {
		const { decoder, correlator } = decodeAndCorrelate()
		correlator.process(
			decoder.decode(
				rawBatch(
					[
						httpRecord({ role: CLIENT, evidence: 3 }),
						httpRecord({ role: CLIENT, absent: 2 }),
						httpRecord({ role: CLIENT, absent: 2 }),
						httpRecord({ role: SERVER, evidence: 1 }),
						httpRecord({ role: SERVER, evidence: 250, absent: 250 }),
					],
					{ processes: [processFact()] },
				),
			),
		)
		expect(correlator.counters.parentByEvidence).toEqual([0, 1, 0, 1, 0])
		expect(correlator.counters.parentAbsent).toEqual([0, 0, 2, 0, 0])
	})

	it('splits into batches of 512 and hands facts on once', () => {
		const { decoder, correlator, accounting } = decodeAndCorrelate()
		const processes = [processFact()]
		const records = Array.from({ length: 1100 }, () => httpRecord())
		const batches = correlator.process(decoder.decode(rawBatch(records, { processes })))
		expect(batches.map((batch) => [batch.spans.length, batch.processes.length])).toEqual([
			[512, 1],
			[512, 0],
			[76, 0],
		])
		expect(imbalance(accounting, 'correlate')).toBe(0)
		expect(correlator.process(decoder.decode(rawBatch([], { processes })))[0]!.processes).toBe(processes)
	})

	it('leaves out what ignored patterns name, from the signals they name', () => {
		const run = (ignoreMode: 'all' | 'traces' | 'metrics') => {
			const { decoder, correlator } = decodeAndCorrelate({
				routes: { ignoredPatterns: ['/health'], ignoreMode },
			})
			const records = [httpRecord({ target: '/health?x=1' }), httpRecord({ target: '/work' })]
			return correlator
				.process(decoder.decode(rawBatch(records, { processes: [processFact()] })))[0]!
				.spans.map((span) => [span.route, span.skipTraces, span.skipMetrics])
		}
		const work = ['/work', false, false]
		expect(run('all')).toEqual([work])
		expect(run('traces')).toEqual([['/health', true, false], work])
		expect(run('metrics')).toEqual([['/health', false, true], work])
	})
})
