import { setTimeout as sleep } from 'node:timers/promises'
import { BpfError, enableStats } from 'bpf-native-loader'
import type { KernelSide, ProgramRuns } from './kernel-side.ts'
import type { Load } from './load.ts'
import type { ProgramResult } from './result.ts'
import { median } from './statistics.ts'

/** Of one program for one request; `others` are the calls for the rest of the machine in the same time. */
interface Runs {
	readonly calls: number
	readonly ns: number
	readonly others: number
}

/** Where the rest of the machine calls the programs more often than this for each call of ours, nothing is told. */
const MOST_OTHERS = 1

/** How often the statistics are read; each time the rest of the machine is looked at first. */
const STATISTICS_ROUNDS = 5

/** What each program took for a request, less what it took for the rest of the machine just before; medians. */
export async function measurePrograms(
	kernel: KernelSide,
	load: Load,
	rate: number,
	ms: number,
	signal: AbortSignal,
): Promise<ProgramResult[]> {
	const statistics = startStatistics()
	if (statistics === undefined) return []
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
		return medians(rounds)
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
	first: readonly ProgramRuns[],
	middle: readonly ProgramRuns[],
	last: readonly ProgramRuns[],
	scale: number,
	requests: number,
): Map<string, Runs> {
	const results = new Map<string, Runs>()
	for (const [i, { program, runCount, runTimeNs }] of last.entries()) {
		const [from, to] = [first[i] as ProgramRuns, middle[i] as ProgramRuns]
		const others = ((to.runCount - from.runCount) * scale) / requests
		results.set(program, {
			calls: (runCount - to.runCount) / requests - others,
			others,
			ns: (runTimeNs - to.runTimeNs - (to.runTimeNs - from.runTimeNs) * scale) / requests,
		})
	}
	return results
}

function medians(rounds: readonly ReadonlyMap<string, Runs>[]): ProgramResult[] {
	const results: ProgramResult[] = []
	for (const program of rounds[0]?.keys() ?? []) {
		const of = (what: keyof Runs): number => median(rounds.map((round) => round.get(program)?.[what] ?? 0))
		const callsPerRequest = of('calls')
		// Programs about the life of processes and connections run too, but not for requests.
		if (callsPerRequest < 0.01) continue
		if (of('others') > MOST_OTHERS * callsPerRequest) return []
		const nsPerRequest = of('ns')
		results.push({ program, callsPerRequest, nsPerCall: nsPerRequest / callsPerRequest, nsPerRequest })
	}
	return results
}
