import type { ProcessFact } from '../model/process-fact.ts'
import { newEntry, takeScanned } from './entry.ts'
import { buildFact } from './fact.ts'
import { createProcScanner } from './scan.ts'
import { evaluate, type SelectionRules } from './selection.ts'

/** One reading of /proc, for commands that look once: on the calling thread, without a table. */
export function listProcesses(rules: SelectionRules, selfPid: number): ProcessFact[] {
	return createProcScanner()
		.scanAll()
		.map((scanned) => {
			const entry = newEntry(scanned.pid, scanned.startTickNs, scanned.parentPid, scanned.comm)
			takeScanned(entry, scanned)
			const options = { excludeOtelInstrumented: rules.excludeOtelInstrumented }
			const decide = (candidate: Parameters<typeof evaluate>[1]) => evaluate(rules, candidate)
			return buildFact(entry, scanned.pid === selfPid, decide, options).fact
		})
}
