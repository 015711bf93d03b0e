import type { ProcessFact } from '../model/process-fact.ts'

/** What aggregate needs of facts: names for unreadable connections, resources for kernel counts, exits for the TTL. */
export interface FactTable {
	learn(facts: readonly ProcessFact[]): void
	find(pid: number, startNs: number): ProcessFact | undefined
	/** Forgets processes that exited before `beforeNs`. */
	forget(beforeNs: number): void
}

/** Start times read from /proc are cut to clock ticks of 10 ms; the kernel's are exact. */
const START_TOLERANCE_NS = 20_000_000

export function createFactTable(): FactTable {
	const byPid = new Map<number, ProcessFact[]>()
	return {
		learn(facts) {
			for (const fact of facts) {
				const known = byPid.get(fact.pid)
				if (known === undefined) byPid.set(fact.pid, [fact])
				else {
					const at = known.findIndex((each) => sameStart(each.startNs, fact.startNs))
					if (at < 0) known.push(fact)
					else known[at] = fact
				}
			}
		},
		find: (pid, startNs) => byPid.get(pid)?.find((fact) => sameStart(fact.startNs, startNs)),
		forget(beforeNs) {
			for (const [pid, facts] of byPid) {
				const kept = facts.filter((fact) => fact.exitNs === 0 || fact.exitNs >= beforeNs)
				if (kept.length === 0) byPid.delete(pid)
				else if (kept.length < facts.length) byPid.set(pid, kept)
			}
		},
	}
}

export function sameStart(a: number, b: number): boolean {
	return Math.abs(a - b) < START_TOLERANCE_NS
}
