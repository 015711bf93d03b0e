import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { GrpcClient } from '../../src/export/grpc-client.ts'
import { otlpExporterOptions, type RetryOptions } from '../../src/export/otlp-options.ts'
import { createOutageLog } from '../../src/export/outage-log.ts'
import { SignalSender } from '../../src/export/signal-sender.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { withRetryInfo } from './backend.ts'

// Only the clock and the network are not real here: what is tested is when an attempt is made.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const unavailable = { code: status.UNAVAILABLE, details: 'down' }

function setUp(
	retryOnFailure: Partial<RetryOptions>,
	options: { random?: number; connected?: boolean; error?: object } = {},
) {
	const attempts: number[] = []
	const began = performance.now()
	const state = { error: options.error ?? unavailable, ready: () => {} }
	const client: GrpcClient = {
		tls: false,
		send: () => {
			attempts.push(Math.round(performance.now() - began))
			return Promise.reject(state.error)
		},
		connected: () => options.connected ?? true,
		onceReady: (act) => void (state.ready = act),
		close: () => {},
	}
	const accounting = createAccounting()
	const sender = new SignalSender(
		'/x',
		otlpExporterOptions({ client: { endpoint: 'a:1' }, retryOnFailure }),
		{
			client,
			meter: accounting.meter('/', 'x'),
			outage: createOutageLog(createLog({ write: () => {} }), { endpoint: 'a:1', signal: 'spans' }, () => 0),
			readReply: () => ({ rejected: 0, message: '' }),
			random: () => options.random ?? 0.5,
		},
	)
	return { sender, attempts, state, dropped: () => [...accounting.totals()[0]!.dropped.keys()] }
}

const request = { bytes: new Uint8Array(1), items: 1 }

// Timers know whole milliseconds only.
it.each([
	['the middle of the jitter', 0.5, [0, 5000, 12_500, 23_750, 40_625, 65_937, 95_937]],
	['its least', 0, [0, 2500, 6250, 11_875, 20_312, 32_968, 47_968]],
])('the default intervals are those of the Collector, at %s', async (_, random, times) => {
	const { sender, attempts } = setUp({}, { random })
	sender.enqueue(request)
	await vi.advanceTimersByTimeAsync(299_000)
	expect(attempts.slice(0, 7)).toEqual(times)
})

it('gives up rather than wait beyond max_elapsed_time', async () => {
	const { sender, attempts, dropped } = setUp({
		initialIntervalMs: 40,
		multiplier: 2,
		maxIntervalMs: 160,
		maxElapsedMs: 700,
	})
	sender.enqueue(request)
	await vi.advanceTimersByTimeAsync(5000)
	expect([attempts, dropped(), sender.held]).toEqual([[0, 40, 120, 280, 440, 600], ['retry_exhausted'], 0])
})

it('with max_elapsed_time 0 never gives up', async () => {
	const { sender, attempts } = setUp({ maxElapsedMs: 0 })
	sender.enqueue(request)
	await vi.advanceTimersByTimeAsync(3_600_000)
	expect(attempts.length).toBeGreaterThan(115)
	expect(sender.held).toBe(1)
})

it('waits the longer of its own interval and what the backend asks for', async () => {
	const { sender, attempts } = setUp(
		{ initialIntervalMs: 1000, multiplier: 10 },
		{ error: withRetryInfo(status.UNAVAILABLE, 4n, 0) },
	)
	sender.enqueue(request)
	await vi.advanceTimersByTimeAsync(16_000)
	expect(attempts).toEqual([0, 4000, 14_000])
})

it('a new connection ends a wait for one, but not the back-off of a backend that is up, nor one it asked for', async () => {
	const lost = setUp({}, { connected: false })
	lost.sender.enqueue(request)
	await vi.advanceTimersByTimeAsync(1000)
	lost.state.ready()
	await vi.advanceTimersByTimeAsync(10)
	expect(lost.attempts).toEqual([0, 1000])

	for (const options of [
		{ connected: true },
		{ connected: false, error: withRetryInfo(status.UNAVAILABLE, 9n, 0) },
	]) {
		const busy = setUp({}, options)
		busy.sender.enqueue(request)
		await vi.advanceTimersByTimeAsync(1000)
		busy.state.ready()
		await vi.advanceTimersByTimeAsync(1000)
		expect(busy.attempts).toEqual([0])
	}
})
