import type { KernelSide } from './kernel-side.ts'
import type { Load } from './load.ts'
import { pairedRounds, type Side } from './paired.ts'
import { measurePrograms } from './programs.ts'
import type { KernelResult, SideResult } from './result.ts'
import { isToldFromZero, median, summarise } from './statistics.ts'

export interface KernelPhase {
	readonly load: Load
	readonly rate: number
	readonly pairs: number
	readonly roundMs: number
	readonly sides: readonly TracedSide[]
	readonly signal: AbortSignal
	/** After each round: how much is done, 0 to 1. */
	readonly progress: (done: number) => void
}

export interface TracedSide {
	readonly kernel: KernelSide
	readonly traced: SideResult['traced']
}

/** One request on each connection and the work of attaching, about. */
const WARM_MS = 55
/** A round of few requests says little: it is made longer, up to a second. What was asked for is never made shorter. */
const ROUND_REQUESTS = 300
const MOST_MS = 1000

export const roundMsOf = (rate: number, roundMs: number): number =>
	rate === 0 ? roundMs : Math.max(roundMs, Math.min((ROUND_REQUESTS / rate) * 1000, MOST_MS))

/** How long it will take, about: for the progress line. */
export const kernelPhaseMs = (rate: number, pairs: number, roundMs: number, sides: number): number =>
	pairs * (sides + 1) * (roundMsOf(rate, roundMs) + WARM_MS) + sides * 8 * roundMsOf(rate, roundMs)

export async function measureKernel(phase: KernelPhase): Promise<KernelResult> {
	const { load, rate, pairs, sides, signal } = phase
	const ms = roundMsOf(rate, phase.roundMs)
	const tallies = sides.map(() => ({ seen: 0, requests: 0 }))
	const rates: number[] = []
	let requests = 0
	let rounds = 0
	const attachable = sides.map(
		({ kernel, traced }): Side => ({
			attach() {
				kernel.select(traced === 'server' ? load.servers : [load.client, ...load.servers])
				return kernel.attach()
			},
			detach: () => kernel.detach(),
		}),
	)
	const round = async (index: number | undefined): Promise<number> => {
		signal.throwIfAborted()
		// A connection that has gone on unseen is found again with its next request, which costs more and is not counted.
		const warm = await load.touch()
		const kernel = index === undefined ? undefined : sides[index]?.kernel
		const seenBefore = kernel?.takeSeen() ?? 0
		const { completed, clientNs, serverNs, wallNs } = await load.round(rate, ms)
		const tally = index === undefined ? undefined : tallies[index]
		if (kernel !== undefined && tally !== undefined) {
			tally.seen += kernel.takeSeen() - seenBefore
			tally.requests += completed
		}
		requests += warm.completed + completed
		rates.push(completed / (wallNs / 1e9))
		phase.progress(++rounds / (pairs * (sides.length + 1) + sides.length))
		return (clientNs + serverNs) / completed
	}
	const { bare, extra } = await pairedRounds(pairs, attachable, round)
	const results: SideResult[] = []
	for (const [index, { kernel, traced }] of sides.entries()) {
		const { seen, requests: made } = tallies[index] as (typeof tallies)[number]
		const difference = summarise(extra[index] ?? [])
		await attachable[index]?.attach()
		try {
			results.push({
				surface: kernel.surface,
				traced,
				extra: difference,
				toldFromZero: isToldFromZero(difference),
				seenPerRequest: seen / made,
				...(await measurePrograms(kernel, load, rate, ms, signal)),
			})
		} finally {
			await kernel.detach()
		}
	}
	return { bare: summarise(bare), requests, requestsPerSecond: median(rates), sides: results }
}
