import { createHook } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCapture } from '../capture/index.ts'
import { TraceWriter } from '../export/otlp-trace-writer.ts'
import type { RawBatch, SpanBatch } from '../model/batch.ts'
import { compileSelection, createProcessTable, createResourceBuilder, readHost } from '../process/index.ts'
import { type Accounting, createAccounting } from '../telemetry/accounting.ts'
import { version } from '../util/version.ts'
import { createEngines } from './engines.ts'
import { STAGES, type StageName, type StageResult } from './result.ts'
import { type UserPhase, WARM_MS } from './user-phase.ts'

const SETTLE_MS = 300
/** Longer than any span is held; after so long without one, none comes. */
const SILENCE_MS = 1500

/** How long it will take, about. */
export const stagesPhaseMs = (ms: number): number => 1500 + WARM_MS + 2 * SETTLE_MS + ms

/** CPU time of this process with all its threads, ns: the garbage collector's work for us. */
function cpuNs(): number {
	const { user, system } = process.cpuUsage()
	return (user + system) * 1000
}

/** The pipeline of `vor run` in this process, with a clock between its stages; live, as the kernel delivers. */
export async function measureStages(phase: UserPhase): Promise<StageResult> {
	const { load, rate, signal } = phase
	const accounting = createAccounting()
	const { rules } = compileSelection({ instrument: [{ targetPids: [load.client, ...load.servers] }] })
	const capture = createCapture({
		meter: accounting.meter('/', 'ringbuf'),
		processes: createProcessTable({ rules }),
		surface: phase.surface,
	})
	const stages = createStages(accounting)
	capture.batches.subscribe(stages.take)
	try {
		await capture.start()
		const warm = await load.round(rate, WARM_MS)
		await settled(stages, 2 * warm.completed, signal)
		const before = { ns: { ...stages.ns }, spans: stages.spans, dropped: droppedOf(accounting) }
		stages.turns.enable()
		const { completed, wallNs } = await load.round(rate, phase.ms)
		await settled(stages, before.spans + 2 * completed, signal)
		stages.turns.disable()
		const ns = Object.fromEntries(
			STAGES.map((name) => [name, (stages.ns[name] - before.ns[name]) / completed]),
		) as Record<StageName, number>
		const dropped = Object.entries(droppedOf(accounting))
			.map(([reason, count]) => [reason, count - (before.dropped[reason] ?? 0)] as const)
			.filter(([, count]) => count > 0)
		return {
			requests: completed,
			requestsPerSecond: completed / (wallNs / 1e9),
			spansPerRequest: (stages.spans - before.spans) / completed,
			ns,
			dropped: Object.fromEntries(dropped),
		}
	} finally {
		stages.turns.disable()
		await capture.stop()
	}
}

/** Resolves when all spans that there should be are through, or no more come: some were dropped. */
async function settled(stages: Stages, expected: number, signal: AbortSignal): Promise<void> {
	let last = stages.spans
	for (let waited = 0; waited < SILENCE_MS && stages.spans < expected; waited += 50) {
		await sleep(50, undefined, { signal })
		if (stages.spans !== last) waited = 0
		last = stages.spans
	}
}

interface Stages {
	readonly ns: Record<StageName, number>
	spans: number
	take(batch: RawBatch): void
	/** Tells the beginning of each turn of the event loop: the drain lies between that and its batch. */
	readonly turns: { enable(): unknown; disable(): unknown }
}

function createStages(accounting: Accounting): Stages {
	const { decoder, correlator, propagator, aggregator } = createEngines(
		accounting,
		createResourceBuilder(readHost()),
	)
	const writer = new TraceWriter({
		scopeName: 'vor',
		scopeVersion: version(),
		maxBytes: 4_128_768,
		maxItems: 3000,
	})
	const release = ({ release: giveBack }: { readonly release?: () => void }): void => giveBack?.()
	const ns: Record<StageName, number> = {
		drain: 0,
		decode: 0,
		correlate: 0,
		propagate: 0,
		aggregate: 0,
		encode: 0,
	}
	let last = 0
	let turnFrom = 0
	const leave = (stage: StageName): void => {
		const now = cpuNs()
		ns[stage] += now - last
		last = now
	}
	const stages: Stages = {
		ns,
		spans: 0,
		take(batch) {
			last = turnFrom
			leave('drain')
			const exchanges = decoder.decode(batch)
			leave('decode')
			const described = correlator.process(exchanges)
			leave('correlate')
			const finished: SpanBatch[] = []
			for (const each of described) finished.push(...propagator.process(each))
			leave('propagate')
			for (const each of finished) aggregator.process(each)
			leave('aggregate')
			for (const each of finished) {
				stages.spans += each.spans.length
				writer.add(each.spans, each.clockOffset, release)
			}
			leave('encode')
			// Another batch of the same turn begins here.
			turnFrom = last
		},
		turns: createHook({
			before() {
				turnFrom = cpuNs()
			},
		}),
	}
	return stages
}

function droppedOf(accounting: Accounting): Record<string, number> {
	const dropped: Record<string, number> = {}
	for (const { id, dropped: reasons } of accounting.totals())
		for (const [reason, { count, intentional }] of reasons)
			if (!intentional) dropped[`${id}: ${reason}`] = count
	return dropped
}
