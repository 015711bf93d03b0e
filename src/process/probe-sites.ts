import type { ProbeSite } from '../model/process-event.ts'
import type { Entry } from './entry.ts'

/** open: to be asked for with the next process of the executable. */
interface Probe {
	state: 'open' | 'asked' | 'attached' | 'failed'
	attempts: number
}

/** An executable that refuses so often will not take the probe. */
const MAX_ATTEMPTS = 10

/**
 * Which probes the executables of selected processes need, and what became of them: one request for each executable and
 * program, whatever the number of its processes. The capture attaches and says so; probes stay until it ends.
 */
export class ProbeSites {
	/** One for each executable with sites that was ever seen: a handful on a machine. */
	private readonly probes = new Map<string, Probe>()
	/** Asked for since the last take. */
	private readonly asked: ProbeSite[] = []

	/** Asks for what the executable of this selected process still lacks. */
	ask(entry: Entry): void {
		for (const { program, offset } of entry.sites) {
			const key = siteKey(entry.executableKey, program)
			const probe = this.probes.get(key) ?? { state: 'open', attempts: 0 }
			if (probe.state !== 'open') continue
			probe.state = 'asked'
			probe.attempts++
			this.probes.set(key, probe)
			const { pid, executableKey } = entry
			this.asked.push({ program, path: `/proc/${pid}/exe`, offset, executableKey })
		}
	}

	take(): readonly ProbeSite[] {
		return this.asked.splice(0)
	}

	/** Returns false for a site that nobody asked for. */
	note(site: ProbeSite, isAttached: boolean): boolean {
		const probe = this.probes.get(siteKey(site.executableKey, site.program))
		if (probe === undefined) return false
		// Most often the process whose path was used is gone: another one of the same executable may do.
		const retry = !isAttached && probe.attempts < MAX_ATTEMPTS
		probe.state = isAttached ? 'attached' : retry ? 'open' : 'failed'
		return true
	}

	/** A probe hangs in this process's executable. */
	isProbed(entry: Entry): boolean {
		for (const { program } of entry.sites) {
			if (this.probes.get(siteKey(entry.executableKey, program))?.state === 'attached') return true
		}
		return false
	}
}

function siteKey(executableKey: string, program: string): string {
	return `${executableKey}/${program}`
}
