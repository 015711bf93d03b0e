import { setTimeout as sleep } from 'node:timers/promises'
import { BpfError, enableStats } from 'bpf-native-loader'
import type { KernelSide, ProgramRuns } from './kernel-side.ts'
import type { Load } from './load.ts'
import type { ProgramResult, SideResult } from './result.ts'
import { median } from './statistics.ts'

/** Of one program for one request; `others` are the calls for the rest of the machine in the same time. */
export interface Runs {
	readonly calls: number
	readonly ns: number
	readonly others: number
}

type Measured = Pick<SideResult, 'programs' | 'programsUntold'>

/** What a reading of the statistics tells of a program. */
type Reading = Pick<ProgramRuns, 'program' | 'runCount' | 'runTimeNs'>

/** Where the rest of the machine calls the programs more often than this for each call of ours, nothing is told. */
const MOST_OTHERS = 1
/** A program with fewer calls for each request, if with any, is not of its path. */
const LEAST_CALLS = 0.5

/** How often the statistics are read; each time the rest of the machine is looked at first. */
const STATISTICS_ROUNDS = 5

/** What each program took for a request, less what it took for the rest of the machine just before; medians. */
export async function measurePrograms(
	kernel: KernelSide,
	load: Load,
	rate: number,
	ms: number,
	signal: AbortSignal,
): Promise<Measured> {
	const statistics = startStatistics()
	if (statistics === undefined)
		return { programs: [], programsUntold: "the kernel's statistics take CAP_SYS_ADMIN" }
	try {
		await load.touch()
		const rounds: Map<string, Runs>[] = []
		for (let i = 0; i < STATISTICS_ROUNDS; i++) {
			const first = kernel.programs()
			const start = performance.now()
			await sleep(ms / 2, undefined, { signal })
			const quietMs = performance.now() - start
			const middle = kernel.programs()
			const { completed, wallNs } = await load.round(rate, ms)
			rounds.push(perRequest(first, middle, kernel.programs(), wallNs / 1e6 / quietMs, completed))
		}
		const instructions = new Map(
			kernel.programs().map(({ program, verifiedInstructions }) => [program, verifiedInstructions]),
		)
		return medians(rounds, instructions)
	} finally {
		statistics.close()
	}
}

/** undefined where only who may do everything (CAP_SYS_ADMIN) may switch them on. */
function startStatistics(): { close(): void } | undefined {
	try {
		return enableStats()
	} catch (reason) {
		if (reason instanceof BpfError && reason.code === 'EPERM') return undefined
		throw reason
	}
}

/** From three readings of the same programs: nothing to do between the first two, the load between the others. */
export function perRequest(
	first: readonly Reading[],
	middle: readonly Reading[],
	last: readonly Reading[],
	scale: number,
	requests: number,
): Map<string, Runs> {
	const results = new Map<string, Runs>()
	for (const [i, { program, runCount, runTimeNs }] of last.entries()) {
		const [from, to] = [first[i] as Reading, middle[i] as Reading]
		const others = ((to.runCount - from.runCount) * scale) / requests
		results.set(program, {
			calls: (runCount - to.runCount) / requests - others,
			others,
			ns: (runTimeNs - to.runTimeNs - (to.runTimeNs - from.runTimeNs) * scale) / requests,
		})
	}
	return results
}

/** Medians of all rounds; nothing at all where one program that may be of the load is lost in what others do. */
export function medians(
	rounds: readonly ReadonlyMap<string, Runs>[],
	instructions: ReadonlyMap<string, number>,
): Measured {
	const programs: ProgramResult[] = []
	for (const program of rounds[0]?.keys() ?? []) {
		const of = (what: keyof Runs): number => median(rounds.map((round) => round.get(program)?.[what] ?? 0))
		const callsPerRequest = of('calls')
		if (of('others') > MOST_OTHERS * Math.max(callsPerRequest, LEAST_CALLS))
			return {
				programs: [],
				programsUntold: `the rest of the machine calls ${program} more often than the load`,
			}
		// Programs about the life of processes and connections run too, but not for requests.
		if (callsPerRequest < 0.01) continue
		const nsPerRequest = of('ns')
		programs.push({
			program,
			callsPerRequest,
			nsPerCall: nsPerRequest / callsPerRequest,
			nsPerRequest,
			verifiedInstructions: instructions.get(program) ?? 0,
		})
	}
	return { programs, programsUntold: '' }
}
