import { listPrograms } from 'bpf-native-loader'
import type { LoadMaker } from './load.ts'
import type { Machine } from './result.ts'

/** What the reader of the figures must know before the first of them. */
export function notesOf(machine: Machine, loadMaker: LoadMaker): string[] {
	const notes: string[] = []
	if (loadMaker === 'node')
		notes.push(
			'Node.js makes the load, with many times the CPU of the load maker in C (built where there is a C compiler): what Vör adds is hard to see.',
		)
	if (machine.loadAverage > machine.cpus / 2)
		notes.push(
			`The machine is busy (load average ${machine.loadAverage.toFixed(1)} on ${machine.cpus} CPUs): the intervals get wide.`,
		)
	if (anotherVor())
		notes.push(
			'Another Vör watches this machine: its cost is in every round, attached or not, so differences stay right and totals do not.',
		)
	return notes
}

function anotherVor(): boolean {
	try {
		return listPrograms().some(({ name }) => name.startsWith('vor_'))
	} catch {
		// Only who may do everything (CAP_SYS_ADMIN) may look at the programs of others.
		return false
	}
}
