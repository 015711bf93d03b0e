import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import type { OtlpExporterInput } from '../../src/export/otlp-options.ts'
import { renderFamilies } from '../../src/telemetry/metric-family.ts'
import { type Answer, type Backend, type Received, startBackend, withRetryInfo } from './backend.ts'
import { type Subject, subject } from './exporter-under-test.ts'
import { attributes, makeBatch, makeHistogram, makeResource, makeSpan } from './samples.ts'

const resource = makeResource('shop')
const unbatched = { batch: undefined }
const one = (n = 1) => makeBatch([makeSpan(n, resource)])
const many = (count: number) => makeBatch(Array.from({ length: count }, (_, n) => makeSpan(n, resource)))

const backends: Backend[] = []
afterEach(() => backends.splice(0).forEach((backend) => void backend.stop()))

async function against(
	answer: (request: Received, index: number) => Answer,
	input: Omit<Partial<OtlpExporterInput>, 'client'> & { client?: Partial<OtlpExporterInput['client']> } = {},
): Promise<Subject & { backend: Backend }> {
	const backend = await startBackend(answer)
	backends.push(backend)
	const made = subject(backend.endpoint, { ...input, sendingQueue: { ...unbatched, ...input.sendingQueue } })
	return { ...made, backend }
}

const fail = (code: status, details = 'no') => ({ code, details })

describe('a refused request', () => {
	const retryable = [
		'CANCELLED',
		'DEADLINE_EXCEEDED',
		'ABORTED',
		'OUT_OF_RANGE',
		'UNAVAILABLE',
		'DATA_LOSS',
	] as const
	it.each(retryable)('is sent again after %s', async (name) => {
		const { exporter, backend, totals, missing } = await against((_, index) =>
			index < 2 ? fail(status[name]) : undefined,
		)
		exporter.traces.next(many(3))
		expect(await exporter.flush(5000)).toBe(true)
		expect(backend.received.map(({ items }) => items)).toEqual([3, 3, 3])
		expect([totals().sent, totals().dropped.size, missing()]).toEqual([3, 0, 0])
	})

	const final = [
		'UNKNOWN',
		'INVALID_ARGUMENT',
		'NOT_FOUND',
		'ALREADY_EXISTS',
		'PERMISSION_DENIED',
		'FAILED_PRECONDITION',
		'UNIMPLEMENTED',
		'INTERNAL',
		'UNAUTHENTICATED',
		'RESOURCE_EXHAUSTED',
	] as const
	it.each(final)('is dropped and counted after %s', async (name) => {
		const { exporter, backend, totals, dropped, lines, missing } = await against(() => fail(status[name]))
		exporter.traces.next(many(3))
		expect(await exporter.flush(5000)).toBe(true)
		expect(backend.received.length).toBe(1)
		expect([totals().sent, dropped(), missing()]).toEqual([0, { refused: 3 }, 0])
		expect(lines('export refused')[0]).toContain(`code=${name}`)
	})

	it('waits as long as RetryInfo asks, for RESOURCE_EXHAUSTED too', async () => {
		const { exporter, backend } = await against((_, index) =>
			index === 0 ? withRetryInfo(status.RESOURCE_EXHAUSTED, 0n, 600_000_000) : undefined,
		)
		exporter.traces.next(one())
		expect(await exporter.flush(5000)).toBe(true)
		const [first, second] = backend.received
		expect(second!.atMs - first!.atMs).toBeGreaterThan(590)
		expect(second!.atMs - first!.atMs).toBeLessThan(1500)
	})

	it('is given up after max_elapsed_time', async () => {
		const { exporter, backend, dropped, missing } = await against(() => fail(status.UNAVAILABLE), {
			retryOnFailure: { initialIntervalMs: 40, maxElapsedMs: 700 },
		})
		exporter.traces.next(one())
		expect(await exporter.flush(5000)).toBe(true)
		expect(backend.received.length).toBeGreaterThan(1)
		expect([dropped(), missing()]).toEqual([{ retry_exhausted: 1 }, 0])
	})

	it('is dropped at once when retrying is off', async () => {
		const { exporter, backend, dropped } = await against(() => fail(status.UNAVAILABLE), {
			retryOnFailure: { enabled: false },
		})
		exporter.traces.next(one())
		expect(await exporter.flush(5000)).toBe(true)
		expect([backend.received.length, dropped()]).toEqual([1, { failed: 1 }])
	})

	it('is tried again when no answer comes within the timeout', async () => {
		const { exporter, backend, totals } = await against((_, index) => (index === 0 ? 'silence' : undefined), {
			timeoutMs: 200,
		})
		exporter.traces.next(one())
		expect(await exporter.flush(5000)).toBe(true)
		expect([backend.received.length, totals().sent]).toEqual([2, 1])
	})
})

describe('partial success', () => {
	it('is never sent again; what was rejected is counted, for spans and points', async () => {
		const { exporter, backend, totals, dropped, lines, missing } = await against(({ signal }) =>
			signal === 'traces' ? { rejected: 4, message: 'too old' } : { rejected: 2 },
		)
		exporter.traces.next(many(10))
		exporter.metrics.next({ metrics: [makeHistogram(resource, 5)] })
		expect(await exporter.flush(5000)).toBe(true)
		expect(backend.received.length).toBe(2)
		expect([totals().sent, dropped(), missing()]).toEqual([9, { rejected: 6 }, 0])
		expect(exporter.totals('spans')).toMatchObject({ sent: 6, sendFailed: 4 })
		expect(exporter.totals('metric_points')).toMatchObject({ sent: 3, sendFailed: 2 })
		expect(lines('only part').join()).toMatch(/signal=spans rejected_items=4 err="too old"/)
	})

	it('with nothing rejected is a success with a warning, and an empty one a success', async () => {
		const { exporter, totals, dropped, lines } = await against((_, index) => ({
			rejected: 0,
			message: index === 0 ? 'use less' : '',
		}))
		exporter.traces.next(one())
		expect(await exporter.flush(5000)).toBe(true)
		exporter.traces.next(one())
		expect(await exporter.flush(5000)).toBe(true)
		expect([totals().sent, dropped(), lines('use less').length]).toEqual([2, {}, 1])
	})
})

describe('the queue', () => {
	it('drops the newest when it is full, counts every item, and sends the rest when the backend is back', async () => {
		let open = false
		const { exporter, backend, totals, dropped, missing, lines } = await against(
			() => (open ? undefined : fail(status.UNAVAILABLE)),
			{
				sendingQueue: { queueSize: 5, numConsumers: 2 },
			},
		)
		for (let n = 0; n < 20; n++) exporter.traces.next(many(10))
		// Two requests under way and five in the queue.
		expect(exporter.totals('spans')).toMatchObject({ queueSize: 5, queueCapacity: 5, enqueueFailed: 130 })
		expect([exporter.held(), dropped(), missing()]).toEqual([70, { queue_full: 130 }, 0])
		expect(lines('telemetry dropped').length).toBe(1)
		open = true
		expect(await exporter.flush(5000)).toBe(true)
		expect([totals().received, totals().sent, exporter.held(), missing()]).toEqual([200, 70, 0, 0])
		expect(backend.received.every(({ items }) => items === 10)).toBe(true)
	})

	it.each([
		['items', 45, 4],
		['bytes', 20_000, 5],
	] as const)('measures by %s when told to', async (sizer, queueSize, requests) => {
		const { exporter, missing } = await against(() => 'silence', {
			sendingQueue: { queueSize, numConsumers: 1, sizer },
		})
		for (let n = 0; n < 20; n++) exporter.traces.next(many(10))
		const held = exporter.held() - 10
		expect(held / 10).toBe(requests)
		expect(missing()).toBe(0)
	})

	it('is bounded in bytes whatever its sizer', async () => {
		const { exporter, dropped, missing } = await against(() => 'silence', { maxQueueBytes: 100_000 })
		for (let n = 0; n < 30; n++) exporter.traces.next(many(20))
		expect(dropped()['queue_full']).toBeGreaterThan(100)
		expect(missing()).toBe(0)
	})

	it('sends num_consumers requests at a time, and without a queue drops what finds none free', async () => {
		const { exporter, backend, dropped, missing } = await against(() => 'silence', {
			sendingQueue: { enabled: false, numConsumers: 3 },
		})
		for (let n = 0; n < 5; n++) exporter.traces.next(one(n))
		await expect.poll(() => backend.received.length).toBe(3)
		expect([exporter.held(), dropped(), missing()]).toEqual([3, { queue_full: 2 }, 0])
	})
})

describe('batching', () => {
	it('gathers small batches until the flush timeout', async () => {
		const { exporter, backend } = await against(() => undefined, {
			sendingQueue: { batch: { flushTimeoutMs: 60, minSize: 2000, maxSize: 3000, sizer: 'items' } },
		})
		for (let n = 0; n < 9; n++) exporter.traces.next(many(5))
		await expect.poll(() => backend.received.map(({ items }) => items)).toEqual([45])
	})

	it('sends the very first spans at once, unless a batch was asked for, and gathers from then on', async () => {
		const backend = await startBackend(() => undefined)
		backends.push(backend)
		const { exporter } = subject(backend.endpoint)
		// An empty batch is not the first.
		exporter.traces.next(many(0))
		for (let n = 0; n < 9; n++) exporter.traces.next(many(5))
		await expect.poll(() => backend.received.map(({ items }) => items)).toEqual([5, 40])
	})

	it('sends at min_size, never more than max_size', async () => {
		const { exporter, backend } = await against(() => undefined, {
			sendingQueue: {
				numConsumers: 1,
				batch: { flushTimeoutMs: 60_000, minSize: 20, maxSize: 30, sizer: 'items' },
			},
		})
		exporter.traces.next(many(10))
		exporter.traces.next(many(75))
		expect(await exporter.flush(5000)).toBe(true)
		expect(backend.received.map(({ items }) => items)).toEqual([30, 30, 25])
	})

	it('keeps every request below the limit; a span or point that is longer alone is dropped and counted', async () => {
		const { exporter, backend, dropped, totals, missing } = await against(() => undefined)
		const big = (mb: number) =>
			makeSpan(1, resource, { attributes: attributes({ blob: 'x'.repeat(mb * 2 ** 20) }) })
		exporter.traces.next(makeBatch([makeSpan(1, resource), big(3), big(2), big(5), makeSpan(2, resource)]))
		const histogram = makeHistogram(makeResource('big'), 1)
		exporter.metrics.next({
			metrics: [{ ...histogram, description: 'x'.repeat(5 * 2 ** 20) }, makeHistogram(resource, 2)],
		})
		expect(await exporter.flush(5000)).toBe(true)
		for (const { bytes } of backend.received) expect(bytes).toBeLessThan(4 * 1024 * 1024)
		expect([totals().received, totals().sent, dropped(), missing()]).toEqual([8, 6, { too_large: 2 }, 0])
	})
})

describe('what goes along', () => {
	it('are the headers and the user agent, and no header is ever logged', async () => {
		const { exporter, backend, log } = await against(() => fail(status.UNAUTHENTICATED, 'bad token'), {
			client: { headers: { Authorization: 'Bearer s3cret', 'X-Scope-OrgID': 'shop' } },
		})
		exporter.traces.next(one())
		await exporter.flush(5000)
		const { metadata } = backend.received[0]!
		expect(metadata.get('authorization')).toEqual(['Bearer s3cret'])
		expect(metadata.get('x-scope-orgid')).toEqual(['shop'])
		expect(String(metadata.get('user-agent'))).toMatch(/^vor\/0\.1\.0 /)
		expect(log()).toMatch(/code=UNAUTHENTICATED.*fix="check the credentials/)
		expect(log()).not.toContain('s3cret')
	})

	it('is the authority when one is set', async () => {
		const { exporter, backend } = await against(() => undefined, { client: { authority: 'tempo.shop' } })
		exporter.traces.next(one())
		expect(await exporter.flush(5000)).toBe(true)
		expect(backend.received.length).toBe(1)
	})
})

describe('the end', () => {
	it('wakes what waits, gives the queue one attempt each, and reports what was lost', async () => {
		let accepted = 0
		const { exporter, dropped, totals, missing } = await against(
			(_, index) =>
				index < 2
					? withRetryInfo(status.UNAVAILABLE, 60n, 0)
					: accepted++ < 3
						? undefined
						: fail(status.UNAVAILABLE),
			{ sendingQueue: { numConsumers: 2 } },
		)
		for (let n = 0; n < 6; n++) exporter.traces.next(many(10))
		await expect.poll(() => exporter.totals('spans').queueSize).toBe(4)
		await new Promise((resolve) => setTimeout(resolve, 200))
		const started = performance.now()
		expect(await exporter.stop(4000)).toBe(30)
		expect(performance.now() - started).toBeLessThan(2000)
		expect([totals().sent, dropped(), exporter.held(), missing()]).toEqual([30, { shutdown: 30 }, 0, 0])
	})

	it('comes at the deadline, with a backend that never answers', async () => {
		const { exporter, dropped, missing } = await against(() => 'silence')
		exporter.traces.next(many(10))
		const started = performance.now()
		expect(await exporter.stop(300)).toBe(10)
		expect(performance.now() - started).toBeLessThan(1000)
		expect([dropped(), missing()]).toEqual([{ shutdown: 10 }, 0])
	})
})

it("shows the Collector's own metrics under their names", async () => {
	const { exporter } = await against(({ signal }) =>
		signal === 'traces' ? undefined : fail(status.INTERNAL),
	)
	exporter.traces.next(many(4))
	exporter.metrics.next({ metrics: [makeHistogram(resource, 3)] })
	expect(await exporter.flush(5000)).toBe(true)
	const text = renderFamilies(exporter.families([['component_id', 'otelcol.exporter.otlp.default']]))
	const id = 'component_id="otelcol.exporter.otlp.default"'
	expect(text).toContain(`otelcol_exporter_sent_spans_total{${id}} 4\n`)
	expect(text).toContain(`otelcol_exporter_send_failed_metric_points_total{${id}} 3\n`)
	expect(text).toContain(`otelcol_exporter_enqueue_failed_spans_total{${id}} 0\n`)
	expect(text).toContain(`otelcol_exporter_queue_size{${id},data_type="traces"} 0\n`)
	expect(text).toContain(`otelcol_exporter_queue_capacity{${id},data_type="metrics"} 1000\n`)
})
