import { parseArgs } from 'node:util'
import type { ProcessFact } from '../model/process-fact.ts'
import { listProcesses } from '../process/list.ts'
import { compileSelection } from '../process/selection.ts'
import type { TopService } from '../server/top-snapshot.ts'
import { VorError } from '../util/errors.ts'
import { printable } from '../util/printable.ts'
import type { CliCommand, CliIo } from './command.ts'
import { defaultAddress, type Instance, instanceFlags, instanceOf, instanceUsage } from './instance.ts'
import { type PipelineSelection, pipelineSelections } from './pipeline-selections.ts'
import { readTop } from './top-client.ts'
import { unreadableText } from './top-table.ts'

/** A process as `vor ps` shows it. */
export interface PsRow extends ProcessFact {
	/** Of its service, since the asked Vör started; null when none answers. */
	readonly unreadable: TopService['unreadable'] | null
}

export const command: CliCommand = {
	name: 'ps',
	summary: 'List the processes with the service name they would get, selected or why not.',
	usage: `Usage:
  vor ps [--json] [--listening] [--address=${defaultAddress} | --url=URL] [PIPELINE]

  PIPELINE     selected or not by the discovery rules of this file or folder, which is read and not run; without it
               by the rules of pipelines/local.alloy: every program but collectors
  --listening  only processes that listen on a port
  --address    where a running Vör listens: asked for the connections of each service that it sees but cannot read
  --json       print everything that is known of each process as JSON

${instanceUsage}

Needs no BPF: it reads /proc once. Without root, names and ports of other users' processes are not known.`,
	async run(argv, io) {
		const { values, positionals } = parseArgs({
			args: [...argv],
			allowPositionals: true,
			options: {
				json: { type: 'boolean', default: false },
				listening: { type: 'boolean', default: false },
				...instanceFlags,
			},
		})
		const [pipeline, ...more] = positionals
		if (more.length > 0)
			throw new VorError('E_USAGE', `vor ps takes one pipeline, got ${positionals.length}`, {
				fix: 'name a file, or a folder of *.alloy files',
			})
		const instance = instanceOf(values, io.env)
		const selections = pipeline === undefined ? everything() : await pipelineSelections(pipeline, io)
		if (selections === undefined) return 1
		if (selections.length === 0)
			throw new VorError(
				'E_CONFIG',
				`${pipeline} has no ebpf.ringbuf or beyla.ebpf: it instruments nothing`,
				{
					fix: 'vor ps pipelines/local.alloy',
				},
			)
		const services = await servicesOf(instance)
		const facts = readProcesses(selections).filter((fact) => !values.listening || fact.listenPorts.length > 0)
		const rows = facts.map((fact): PsRow => ({ ...fact, unreadable: unreadableOf(fact, services) }))
		const text = values.json ? JSON.stringify(rows, null, 2) : table(rows).join('\n')
		io.stdout.write(`${text}\n`)
		if (!values.json) tellUnreadable(rows, services, io)
		return 0
	},
}

const everything = (): PipelineSelection[] => [{ id: '', rules: compileSelection({}).rules }]

/** What runs now, by pid, as the first component says that selects it; where none does, as the first that rejects it. */
export function readProcesses(selections: readonly PipelineSelection[] = everything()): ProcessFact[] {
	const byPid = new Map<number, ProcessFact>()
	for (const { id, rules } of selections) {
		for (const fact of listProcesses(rules, process.pid)) {
			if (byPid.get(fact.pid)?.selection === 'selected') continue
			if (byPid.has(fact.pid) && fact.selection !== 'selected') continue
			const reason =
				selections.length > 1 && fact.selection === 'selected'
					? `${fact.selectionReason} of ${id}`
					: fact.selectionReason
			byPid.set(fact.pid, { ...fact, selectionReason: reason })
		}
	}
	return [...byPid.values()].sort((a, b) => a.pid - b.pid)
}

type Services = readonly TopService[] | VorError

/** That it cannot be asked is an error only for a Vör that was named. */
async function servicesOf(instance: Instance): Promise<Services> {
	try {
		return (await readTop(instance)).services
	} catch (reason) {
		if (instance.named) throw reason
		return VorError.from(reason)
	}
}

function unreadableOf(fact: ProcessFact, services: Services): PsRow['unreadable'] {
	if (services instanceof VorError) return null
	// The counts are by service name alone, and stand at the first service that bears it.
	return services.filter((each) => each.service === fact.serviceName).flatMap((each) => each.unreadable)
}

export function table(rows: readonly PsRow[]): string[] {
	const known = rows.some((row) => row.unreadable !== null)
	const cells = [
		['PID', 'LANGUAGE', 'PORTS', 'SERVICE', 'NAMED BY', ...(known ? ['UNREADABLE'] : []), 'SELECTION', 'WHY'],
		...rows.map((row) => [
			String(row.pid),
			row.language,
			row.listenPorts.join(',') || '-',
			row.serviceName,
			row.serviceNameSource,
			...(known ? [unreadableText(row.unreadable ?? []) || '-'] : []),
			row.selection,
			row.selectionReason + (row.exportsOtlp === 'none' ? '' : `; exports ${row.exportsOtlp} itself`),
		]),
	].map((line) => line.map(printable))
	const widths =
		cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? []
	return cells.map((line) =>
		line
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd(),
	)
}

/** Beside the table, so that standard output is the table alone. */
function tellUnreadable(rows: readonly PsRow[], services: Services, io: CliIo): void {
	if (services instanceof VorError) {
		io.stderr.write(`Connections that a running Vör could not read are not known: ${services.message}.\n`)
		io.stderr.write(`To ask one: ${services.fix}\n`)
		return
	}
	const here = new Set(rows.map((row) => row.serviceName))
	for (const { service, unreadable } of services)
		if (!here.has(service) && unreadable.length > 0)
			io.stderr.write(`Also not readable: ${printable(service)}, ${unreadableText(unreadable)}\n`)
}
