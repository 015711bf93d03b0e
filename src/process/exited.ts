import type { Entry } from './entry.ts'
import { identity } from './identity.ts'

/** How long a process is remembered after its exit: its last records are still on their way. */
const KEEP_NS = 30e9
/** Some 60 MB of facts at most. */
const MAX_EXITED = 32768

/** Processes that exited, or whose pid another one has, for as long as records of them may come. */
export class ExitedProcesses {
	/** Oldest first, by identity. */
	private readonly entries = new Map<string, Entry>()

	/** Returns how many others are forgotten for it, before their time: 0 or 1. */
	add(entry: Entry): number {
		this.entries.set(identity(entry.pid, entry.startNs), entry)
		if (this.entries.size <= MAX_EXITED) return 0
		for (const key of this.entries.keys()) {
			this.entries.delete(key)
			break
		}
		return 1
	}

	find(pid: number, startNs: number): Entry | undefined {
		return this.entries.get(identity(pid, startNs))
	}

	values(): Iterable<Entry> {
		return this.entries.values()
	}

	/** Forgets those whose time is over. */
	age(nowNs: number): void {
		const before = nowNs - KEEP_NS
		for (const [key, entry] of this.entries) {
			if (entry.exitNs >= before) return
			this.entries.delete(key)
		}
	}
}
