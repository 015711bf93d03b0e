import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Span } from '../../src/model/span.ts'
import { type Collector, freePort, startCollector } from '../helpers/collector.ts'
import { subject } from './exporter-under-test.ts'
import { attributes, CLOCK, makeBatch, makeHistogram, makeResource, makeSpan } from './samples.ts'

const hex = (span: Span, from: number, to: number) =>
	Buffer.from(span.ids.subarray(span.idsAt + from, span.idsAt + to)).toString('hex')
const offset = BigInt(CLOCK.seconds) * 1_000_000_000n + BigInt(CLOCK.nanos)

describe('a real OpenTelemetry Collector', () => {
	let collector: Collector
	beforeAll(async () => void (collector = await startCollector()), 600_000)
	afterAll(async () => await collector.stop())

	it('reads our spans as they are', async () => {
		const resource = makeResource('reads-spans', {
			'process.pid': 4711,
			'process.command_args': ['node', 'app.js'],
		})
		const plain = makeSpan(1, resource)
		const rich = makeSpan(2, resource, {
			name: 'POST /größe/{id}',
			kind: 3,
			startNs: 2 ** 53 + 2,
			endNs: 2 ** 53 + 4,
			statusCode: 2,
			statusMessage: 'connection reset',
			traceState: 'ot=th:8',
			attributes: attributes({
				empty: '',
				text: `${'ü'.repeat(200)}\u0000€😀`,
				int: -5,
				large: 2 ** 53,
				fraction: 0.25,
				double: { double: 3 },
				yes: true,
				no: false,
				list: ['a', '', 'ß'],
			}),
		})
		const { exporter, missing, totals } = subject(collector.endpoint)
		exporter.traces.next(makeBatch([plain, rich]))
		const spans = await collector.waitForTraces(
			(all) => all.filter((s) => s.service === 'reads-spans').length === 2,
		)
		const [first, second] = spans.filter((span) => span.service === 'reads-spans')
		expect(first).toEqual({
			service: 'reads-spans',
			name: 'GET /orders/{id}',
			kind: 2,
			traceId: hex(plain, 0, 16),
			spanId: hex(plain, 16, 24),
			parentSpanId: hex(plain, 24, 32),
			traceState: '',
			flags: 0x301,
			startNs: 5_000_000_001_000n + offset,
			endNs: 5_000_000_501_000n + offset,
			attributes: {
				'http.request.method': 'GET',
				'url.path': '/orders/1',
				'url.scheme': 'http',
				'http.response.status_code': 200n,
				'http.route': '/orders/{id}',
				'server.address': 'orders.shop.local',
				'server.port': 8080n,
				'network.peer.address': '10.0.3.17',
				'network.peer.port': 51_234n,
				'network.protocol.version': '1.1',
			},
			resource: {
				'service.name': 'reads-spans',
				'service.namespace': 'shop',
				'service.instance.id': 'reads-spans-1',
				'telemetry.sdk.language': 'nodejs',
				'telemetry.distro.name': 'vor',
				'host.name': 'node-1',
				'process.pid': 4711n,
				'process.command_args': ['node', 'app.js'],
			},
			status: { code: 0, message: '' },
			scope: 'vor@0.1.0',
		})
		expect(second).toMatchObject({
			name: 'POST /größe/{id}',
			kind: 3,
			parentSpanId: '',
			traceState: 'ot=th:8',
			flags: 0x101,
			startNs: 2n ** 53n + 2n + offset,
			endNs: 2n ** 53n + 4n + offset,
			status: { code: 2, message: 'connection reset' },
			attributes: {
				empty: '',
				text: `${'ü'.repeat(200)}\u0000€😀`,
				int: -5n,
				large: 2n ** 53n,
				fraction: 0.25,
				double: 3,
				yes: true,
				no: false,
				list: ['a', '', 'ß'],
			},
		})
		expect(await exporter.flush(5000)).toBe(true)
		expect([totals().received, totals().sent, missing()]).toEqual([2, 2, 0])
	})

	it('reads our metrics as they are', async () => {
		const resource = makeResource('reads-metrics')
		const { exporter, totals } = subject(collector.endpoint)
		const point = {
			attributes: attributes({ pool: 'a' }),
			startMs: 1_795_000_000_000,
			timeMs: 1_795_000_015_000.125,
		}
		exporter.metrics.next({
			metrics: [
				makeHistogram(resource),
				{
					kind: 'sum',
					monotonic: true,
					name: 'vor.requests',
					description: 'd',
					unit: '{request}',
					resource,
					points: [{ ...point, value: 7 }],
				},
				{
					kind: 'gauge',
					name: 'vor.depth',
					description: '',
					unit: '1',
					resource,
					points: [{ ...point, value: 3 }],
				},
			],
		})
		const all = await collector.waitForMetrics(
			(m) => m.filter((one) => one.service === 'reads-metrics').length === 3,
		)
		const [histogram, sum, gauge] = all.filter((one) => one.service === 'reads-metrics')
		expect(histogram).toEqual({
			service: 'reads-metrics',
			name: 'http.server.request.duration',
			description: 'Duration of HTTP server requests.',
			unit: 's',
			kind: 'histogram',
			temporality: 2,
			monotonic: false,
			scope: 'vor@0.1.0',
			resource: expect.objectContaining({ 'service.instance.id': 'reads-metrics-1' }),
			points: [
				{
					attributes: {
						'http.request.method': 'GET',
						'http.response.status_code': 200n,
						'http.route': '/r0',
					},
					startNs: 1_795_000_000_000_000_000n,
					timeNs: 1_795_000_015_000_500_000n,
					value: undefined,
					count: 10n,
					sum: 1.25,
					bucketCounts: [1n, 2n, 3n, 4n, 0n],
					bounds: [0.005, 0.01, 0.1, 1],
				},
			],
		})
		expect(sum).toMatchObject({
			kind: 'sum',
			temporality: 2,
			monotonic: true,
			unit: '{request}',
			points: [{ value: 7n, timeNs: 1_795_000_015_000_125_000n }],
		})
		expect(gauge).toMatchObject({ kind: 'gauge', points: [{ value: 3, attributes: { pool: 'a' } }] })
		expect(await exporter.flush(5000)).toBe(true)
		expect([totals().received, totals().sent]).toEqual([3, 3])
	})

	it.each(['gzip', 'none'])(
		'takes thousands of spans and points in requests below 4 MiB, compression %s',
		async (compression) => {
			const service = `bulk-${compression}`
			const resource = makeResource(service)
			const { exporter, totals, missing } = subject(collector.endpoint, {
				client: { compression },
				sendingQueue: { batch: { flushTimeoutMs: 50, minSize: 100_000, maxSize: 0, sizer: 'items' } },
			})
			// 14 000 spans of about 700 bytes: 10 MB, three requests; the receiver's limit is 4 MiB.
			const padding = attributes({ 'url.query': 'q'.repeat(700) })
			for (let batch = 0; batch < 28; batch++) {
				exporter.traces.next(
					makeBatch(
						Array.from({ length: 500 }, (_, n) =>
							makeSpan(batch * 500 + n, resource, { attributes: padding }),
						),
					),
				)
			}
			exporter.metrics.next({ metrics: [makeHistogram(resource, 30_000)] })
			expect(await exporter.flush(20_000)).toBe(true)
			const spans = await collector.waitForTraces(
				(all) => all.filter((s) => s.service === service).length >= 14_000,
			)
			expect(new Set(spans.filter((s) => s.service === service).map((s) => s.traceId)).size).toBe(14_000)
			const metrics = await collector.waitForMetrics((all) => points(all, service) >= 30_000)
			expect(points(metrics, service)).toBe(30_000)
			expect([totals().received, totals().sent, missing()]).toEqual([44_000, 44_000, 0])
		},
	)

	it('understands ten processes mixed in one batch as ten resources', async () => {
		const resources = Array.from({ length: 10 }, (_, n) => makeResource(`mixed-${n}`))
		const { exporter } = subject(collector.endpoint)
		exporter.traces.next(makeBatch(Array.from({ length: 500 }, (_, n) => makeSpan(n, resources[n % 10]!))))
		const spans = await collector.waitForTraces(
			(all) => all.filter((s) => s.service.startsWith('mixed-')).length === 500,
		)
		for (const resource of resources)
			expect(spans.filter((s) => s.service === resource.serviceName).length).toBe(50)
	})
})

function points(
	metrics: readonly { service: string; points: readonly unknown[] }[],
	service: string,
): number {
	return metrics.filter((one) => one.service === service).reduce((sum, one) => sum + one.points.length, 0)
}

describe('a backend that is not there', () => {
	it('gets everything once it is up, soon, and nothing twice; the log tells begin and end', async () => {
		const port = await freePort()
		const { exporter, lines, missing, totals } = subject(`127.0.0.1:${port}`, {
			// Alloy's own 5 s … 30 s: the connection coming back is what ends the wait.
			retryOnFailure: { initialIntervalMs: 5000, maxIntervalMs: 30_000 },
		})
		const resource = makeResource('late')
		for (let n = 0; n < 20; n++) exporter.traces.next(makeBatch([makeSpan(n, resource)]))
		await expect.poll(() => lines('export fails').length, { timeout: 8000 }).toBe(1)
		expect(lines('export fails')[0]).toMatch(
			/level=warn .*endpoint=127\.0\.0\.1:\d+ .*code=UNAVAILABLE .*ECONNREFUSED.*fix="start an OTLP\/gRPC receiver/,
		)
		expect([exporter.held(), missing()]).toEqual([20, 0])
		const collector = await startCollector({ port })
		try {
			const ready = performance.now()
			const spans = await collector.waitForTraces((all) => all.length >= 20)
			expect(performance.now() - ready).toBeLessThan(4000)
			expect(await exporter.flush(5000)).toBe(true)
			expect(spans.length).toBe(20)
			expect([totals().sent, exporter.held(), missing()]).toEqual([20, 0, 0])
			expect(lines('export works again').length).toBe(1)
		} finally {
			await collector.stop()
		}
	})

	it('costs, at the end, what could not be sent within the deadline, and says so', async () => {
		const { exporter, log, missing, dropped } = subject(`127.0.0.1:${await freePort()}`)
		exporter.traces.next(makeBatch([makeSpan(1, makeResource('lost')), makeSpan(2, makeResource('lost'))]))
		const started = performance.now()
		expect(await exporter.stop(3000)).toBe(2)
		expect(performance.now() - started).toBeLessThan(3500)
		expect(dropped()).toEqual({ shutdown: 2 })
		expect(log()).toMatch(/level=warn msg="stopped before everything was sent".*lost_items=2/)
		expect([exporter.held(), missing()]).toEqual([0, 0])
		exporter.traces.next(makeBatch([makeSpan(3, makeResource('lost'))]))
		expect([dropped(), missing()]).toEqual([{ shutdown: 3 }, 0])
	})
})

describe('TLS', () => {
	const folder = mkdtempSync(join(tmpdir(), 'vor-tls-'))
	const file = (name: string) => join(folder, name)
	let collector: Collector
	beforeAll(async () => {
		makeCertificates(folder)
		collector = await startCollector({
			tls: { certFile: file('server.pem'), keyFile: file('server.key'), clientCaFile: file('ca.pem') },
		})
	}, 600_000)
	afterAll(async () => {
		await collector.stop()
		rmSync(folder, { recursive: true })
	})
	const own = {
		insecure: false,
		caFile: file('ca.pem'),
		certFile: file('client.pem'),
		keyFile: file('client.key'),
	}

	async function delivers(service: string, tls: object, endpoint = collector.endpoint): Promise<void> {
		const { exporter } = subject(endpoint, { client: { tls } })
		exporter.traces.next(makeBatch([makeSpan(1, makeResource(service))]))
		await collector.waitForTraces((all) => all.some((span) => span.service === service))
	}

	it("works with a CA and client certificate of one's own", async () => await delivers('tls-own', own))
	it('works by TLS 1.2 with a chosen suite and curve', async () =>
		await delivers('tls-12', {
			...own,
			maxVersion: 'TLS 1.2',
			cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
			curvePreferences: ['P384', 'P256'],
		}))
	it('https:// means TLS whatever insecure says', async () =>
		await delivers('tls-https', { ...own, insecure: true }, `https://localhost:${collector.port}`))
	it('checks another name when server_name says so, and refuses a wrong one', async () => {
		await delivers('tls-name', { ...own, serverName: 'collector.test' })
		const wrong = subject(collector.endpoint, { client: { tls: { ...own, serverName: 'other.test' } } })
		wrong.exporter.traces.next(makeBatch([makeSpan(1, makeResource('tls-wrong'))]))
		await expect
			.poll(wrong.log, { timeout: 8000 })
			.toMatch(/msg="export fails, will try again".*fix=".*server_name/)
	})
	it('does not trust an unknown CA unless told to, and says what to do', async () => {
		const { exporter, log } = subject(collector.endpoint, { client: { tls: { ...own, caFile: '' } } })
		exporter.traces.next(makeBatch([makeSpan(1, makeResource('tls-untrusted'))]))
		await expect
			.poll(log, { timeout: 8000 })
			.toMatch(/certificate.*fix="the certificate of the receiver is not trusted: set tls \{ ca_file/)
		await delivers('tls-skip', { ...own, caFile: '', insecureSkipVerify: true })
		expect(collector.traces().some((span) => span.service === 'tls-untrusted')).toBe(false)
	})
	it('says so when one side speaks TLS and the other does not', async () => {
		const plain = await startCollector()
		try {
			const { exporter, log } = subject(plain.endpoint, { client: { tls: { insecure: false } } })
			exporter.traces.next(makeBatch([makeSpan(1, makeResource('x'))]))
			await expect.poll(log, { timeout: 8000 }).toMatch(/tls \{ insecure = true \}/)
		} finally {
			await plain.stop()
		}
	})
})

function makeCertificates(folder: string): void {
	const ssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
	const key = ['-newkey', 'rsa:2048', '-nodes']
	ssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=vor test CA', '-days', '2')
	for (const name of ['server', 'client']) {
		ssl(
			'req',
			...key,
			'-keyout',
			`${name}.key`,
			'-out',
			`${name}.csr`,
			'-subj',
			`/CN=${name}`,
			'-addext',
			'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:collector.test',
		)
		ssl(
			'x509',
			'-req',
			'-in',
			`${name}.csr`,
			'-CA',
			'ca.pem',
			'-CAkey',
			'ca.key',
			'-CAcreateserial',
			'-out',
			`${name}.pem`,
			'-days',
			'2',
			'-copy_extensions',
			'copy',
		)
	}
}
