import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { MetricFamily } from './metric-family.ts'

/** Sampling period. The monitor measures the time between its own ticks, so this is taken off every reading. */
const resolutionMs = 20
/** A reading covers at least this much of the past, at most twice as much. */
const windowMs = 30_000

export interface EventLoopMonitor {
	/** Seconds a ready callback waited: quantile `q` (0 … 1) of the window. */
	quantile(q: number): number
	families(): MetricFamily[]
	stop(): void
}

/** Measures how long ready callbacks wait for the main thread. Costs one timer in C, none in JavaScript. */
export function monitorEventLoop(now: () => number = () => performance.now()): EventLoopMonitor {
	// Two histograms half a turn apart: the older one always covers between one and two windows.
	let older = start()
	let younger = start()
	let turnedAt = now()

	function turn(): void {
		if (now() - turnedAt < windowMs) return
		older.disable()
		older = younger
		younger = start()
		turnedAt = now()
	}

	function quantile(q: number): number {
		turn()
		if (older.count === 0) return 0
		const nanoseconds = q >= 1 ? older.max : older.percentile(q * 100)
		return Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3)
	}

	return {
		quantile,
		families: () => [
			{
				name: 'vor_event_loop_delay_seconds',
				type: 'gauge',
				help: 'Time a ready callback waited for the main thread, by quantile, over the last 30 to 60 seconds.',
				samples: [0.5, 0.99, 1].map((q) => ({
					suffix: '',
					labels: [['quantile', String(q)]],
					value: quantile(q),
				})),
			},
		],
		stop() {
			older.disable()
			younger.disable()
		},
	}
}

function start(): IntervalHistogram {
	const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
	histogram.enable()
	return histogram
}
