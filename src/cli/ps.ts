import { parseArgs } from 'node:util'
import type { ProcessFact } from '../model/process-fact.ts'
import { listProcesses } from '../process/list.ts'
import { compileSelection, type SelectionRules } from '../process/selection.ts'
import type { CliCommand } from './command.ts'

export const command: CliCommand = {
	name: 'ps',
	summary: 'List the processes with the service name they would get, selected or why not.',
	usage: `Usage:
  vor ps [--json] [--listening]

  --json       print everything that is known of each process as JSON
  --listening  only processes that listen on a port

Needs no BPF: it reads /proc once. Without root, processes of other users are left out.`,
	async run(argv, io) {
		const { values } = parseArgs({
			args: [...argv],
			options: {
				json: { type: 'boolean', default: false },
				listening: { type: 'boolean', default: false },
			},
		})
		const facts = readProcesses().filter((fact) => !values.listening || fact.listenPorts.length > 0)
		io.stdout.write(values.json ? `${JSON.stringify(facts, null, 2)}\n` : `${table(facts).join('\n')}\n`)
		return 0
	},
}

/** Facts of what runs now, under these rules (default: everything is selected), by pid. */
export function readProcesses(rules: SelectionRules = compileSelection({}).rules): ProcessFact[] {
	return listProcesses(rules, process.pid).sort((a, b) => a.pid - b.pid)
}

export function table(facts: readonly ProcessFact[]): string[] {
	const rows = [
		['PID', 'LANGUAGE', 'PORTS', 'SERVICE', 'NAMED BY', 'SELECTION', 'WHY'],
		...facts.map((fact) => [
			String(fact.pid),
			fact.language,
			fact.listenPorts.join(',') || '-',
			fact.serviceName,
			fact.serviceNameSource,
			fact.selection,
			fact.selectionReason + (fact.exportsOtlp === 'none' ? '' : `; exports ${fact.exportsOtlp} itself`),
		]),
	]
	const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
	return rows.map((row) =>
		row
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd(),
	)
}
