import { setTimeout as sleep } from 'node:timers/promises'
import type { Round } from './load.ts'
import { startOtlpSink } from './otlp-sink.ts'
import type { ProcessResult } from './result.ts'
import type { Scratch } from './scratch.ts'
import { type UserPhase, WARM_MS } from './user-phase.ts'
import { startVorProcess } from './vor-process.ts'

export interface ProcessPhase extends UserPhase {
	readonly scratch: Scratch
}

const REST_MS = 1000
/** The exporter's batch and the last drain. */
const SETTLE_MS = 700

/** A Vör that was short of CPU needs longer to count what is still in the ring. */
const COUNT_TRIES = 10

/** How long it will take, about. */
export const processPhaseMs = (ms: number): number => 2500 + WARM_MS + 2 * REST_MS + 2 * SETTLE_MS + ms

export async function measureProcess(phase: ProcessPhase): Promise<ProcessResult> {
	const { load, rate, signal } = phase
	const pause = (ms: number) => sleep(ms, undefined, { signal })
	const sink = await startOtlpSink()
	try {
		const pids = [load.client, ...load.servers]
		const vor = await startVorProcess({ ...phase, pids, endpoint: sink.endpoint })
		try {
			await pause(SETTLE_MS)
			const atRest = vor.memory()
			const warm = await load.round(rate, WARM_MS)
			await pause(SETTLE_MS)
			const share = async (work: () => Promise<unknown>): Promise<number> => {
				const from = { cpu: vor.cpuNs(), at: performance.now() }
				await work()
				return (vor.cpuNs() - from.cpu) / (performance.now() - from.at) / 1e6
			}
			const restBefore = await share(() => pause(REST_MS))
			let round: Round | undefined
			let loaded = 0
			let rss = 0
			const from = performance.now()
			// The work for the last requests comes after them: the last drain, the exporter's batch.
			const all = await share(async () => {
				loaded = await share(async () => {
					round = await load.round(rate, phase.ms)
				})
				;({ rss } = vor.memory())
				await pause(SETTLE_MS)
			})
			const allNs = (performance.now() - from) * 1e6
			const { completed, wallNs } = round as Round
			const rest = (restBefore + (await share(() => pause(REST_MS)))) / 2
			const requests = completed + warm.completed
			let metrics = await vor.metrics()
			for (let i = 0; i < COUNT_TRIES && counted(metrics) < requests; i++) {
				await pause(SETTLE_MS)
				metrics = await vor.metrics()
			}
			return {
				requests,
				requestsPerSecond: completed / (wallNs / 1e9),
				rssAtRest: atRest.rss,
				rss,
				// The kernel keeps the two by itself: the peak may be a moment behind.
				rssPeak: Math.max(rss, vor.memory().peak),
				cpuNsPerRequest: ((all - rest) * allNs) / completed,
				cpuAtRest: rest,
				cpuLoaded: loaded,
				countedRequests: counted(metrics),
				exportedSpans: sumOf(metrics, 'otelcol_exporter_sent_spans_total'),
				dropped: droppedIn(metrics),
			}
		} finally {
			await vor.stop()
		}
	} finally {
		await sink.close()
	}
}

const counted = (metrics: string): number => sumOf(metrics, 'http_server_request_duration_seconds_count')

function* samplesOf(text: string, name: string): Generator<{ labels: string; value: number }> {
	for (const line of text.split('\n')) {
		const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)
		if (match?.[1] === name) yield { labels: match[2] ?? '', value: Number(match[3]) }
	}
}

export function sumOf(text: string, name: string): number {
	let sum = 0
	for (const { value } of samplesOf(text, name)) sum += value
	return sum
}

/** What was lost, by stage and reason; what the selection left out is no loss. */
export function droppedIn(text: string): Record<string, number> {
	const dropped: Record<string, number> = {}
	for (const { labels, value } of samplesOf(text, 'vor_component_dropped_total')) {
		if (value === 0 || labels.includes('intentional="true"')) continue
		const label = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
		const key = `${label('component_id').replace(/\.bench$/, '')}: ${label('reason')}`
		dropped[key] = (dropped[key] ?? 0) + value
	}
	return dropped
}
