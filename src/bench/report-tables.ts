import { type BenchResult, type CaseResult, type KernelResult, type SideResult, STAGES } from './result.ts'
import { byteText, grouped, KERNEL_RATE, letterOf, plural, rateText, USER_RATE } from './settings.ts'

/** One table of the report, as every form of it shows. The first column is text, the others are numbers. */
export interface Table {
	readonly title: string
	/** What is measured, in a sentence or two. */
	readonly about: string
	readonly columns: readonly string[]
	readonly rows: readonly (readonly string[])[]
}

const ns = (value: number): string => (Number.isFinite(value) ? grouped(value).replace('-', '−') : '–')
const us = (value: number): string => (value / 1000).toFixed(2).replace('-', '−')
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const mib = (bytes: number): string => (bytes / (1 << 20)).toFixed(0)

export const programNs = ({ programs }: SideResult): number =>
	programs.reduce((sum, { nsPerRequest }) => sum + nsPerRequest, 0)
const calls = ({ programs }: SideResult): number =>
	programs.reduce((sum, { callsPerRequest }) => sum + callsPerRequest, 0)
export const stagesNs = (stages: NonNullable<CaseResult['stages']>): number =>
	STAGES.reduce((sum, name) => sum + stages.ns[name], 0)

export function tablesOf(result: BenchResult): Table[] {
	return [kernelTable(result), programTable(result), stageTable(result), processTable(result)].filter(
		({ rows }) => rows.length > 0,
	)
}

/** `1 KiB body, 100 connections, 1 process`. */
export function basicText({ cases }: BenchResult): string {
	const basic = cases[0] as CaseResult
	return `${byteText(basic.bytes)} body, ${plural(basic.connections, 'connection')}, ${plural(basic.processes, 'process', 'processes')}`
}

export const sideName = ({ surface, traced }: SideResult): string =>
	`${letterOf(surface)} ${surface}${traced === 'server' ? ', server only' : ''}`

/** A median whose interval holds 0 is not a figure: the interval beside it says what is known. */
export const extraText = ({ extra, toldFromZero }: SideResult): string =>
	toldFromZero ? `+${ns(extra.median)}`.replace('+−', '−') : 'not told from 0'

function kernelTable(result: BenchResult): Table {
	const rows: string[][] = []
	for (const { title, kernel, kernelRate } of result.cases) {
		for (const side of kernel?.sides ?? []) {
			const { bare, requestsPerSecond } = kernel as KernelResult
			const { extra, toldFromZero } = side
			rows.push([
				title,
				sideName(side),
				kernelRate === 0 ? `${ns(requestsPerSecond)} (max)` : ns(requestsPerSecond),
				ns(bare.median),
				extraText(side),
				`${ns(extra.low)} … ${ns(extra.high)}`,
				toldFromZero ? ns(extra.p10) : '–',
				...(side.programs.length === 0 ? ['–', '–'] : [ns(programNs(side)), calls(side).toFixed(1)]),
				side.seenPerRequest.toFixed(3),
			])
		}
	}
	return {
		title: 'Kernel: what one request costs the traced programs, ns',
		about: `CPU time of client and server for one request without Vör, and what it takes more with Vör attached: median of ${result.settings.pairs} paired differences, its 95 % interval, and the p10; where the interval holds 0, the noise is larger than what there may be. Beside it what the kernel's own clock says of the programs, their calls, and the exchanges that were seen: one a traced side.`,
		columns: [
			'case',
			'surface',
			'requests/s',
			'without',
			'with Vör',
			'95 % interval',
			'p10',
			'in programs',
			'calls',
			'seen',
		],
		rows,
	}
}

function programTable({ cases }: BenchResult): Table {
	const rows: string[][] = []
	for (const side of cases[0]?.kernel?.sides ?? [])
		for (const { program, callsPerRequest, nsPerCall, nsPerRequest } of side.programs)
			rows.push([sideName(side), program, callsPerRequest.toFixed(2), ns(nsPerCall), ns(nsPerRequest)])
	return {
		title: 'Kernel: by program, basic case, ns',
		about:
			'The kernel’s statistics of each program, less what it took for the rest of the machine just before.',
		columns: ['surface', 'program', 'calls a request', 'ns a call', 'ns a request'],
		rows,
	}
}

function stageTable({ cases }: BenchResult): Table {
	const rows: string[][] = []
	for (const { title, stages, userRate } of cases) {
		if (stages === undefined || userRate === undefined) continue
		rows.push([
			title,
			ns(stages.requestsPerSecond),
			...STAGES.map((name) => us(stages.ns[name])),
			us(stagesNs(stages)),
			stages.spansPerRequest.toFixed(2),
			dropText(stages.dropped),
		])
	}
	return {
		title: 'User space: CPU of one request by stage, µs',
		about:
			'From the ring to OTLP bytes, live, client and server side together: two spans a request. What was lost in the kernel takes no time here.',
		columns: ['case', 'requests/s', ...STAGES, 'all', 'spans', 'dropped'],
		rows,
	}
}

function processTable({ cases }: BenchResult): Table {
	const rows: string[][] = []
	for (const { title, process: vor } of cases) {
		if (vor === undefined) continue
		rows.push([
			title,
			ns(vor.requestsPerSecond),
			mib(vor.rssAtRest),
			mib(vor.rss),
			mib(vor.rssPeak),
			percent(vor.cpuAtRest),
			percent(vor.cpuLoaded),
			us(vor.cpuNsPerRequest),
			`${grouped(vor.countedRequests)} of ${grouped(vor.requests)}`,
			dropText(vor.dropped),
		])
	}
	return {
		title: 'The Vör process: vor run with an OTLP exporter',
		about:
			'Resident memory at rest, at the end of the load and at its highest, MiB; CPU of all its threads at rest and under load as a share of one CPU, and the difference for one request, µs; requests by its own metrics of those that the load maker made; spans that were dropped.',
		columns: [
			'case',
			'requests/s',
			'RSS at rest',
			'loaded',
			'peak',
			'CPU at rest',
			'loaded',
			'a request',
			'counted',
			'dropped',
		],
		rows,
	}
}

function dropText(dropped: Readonly<Record<string, number>>): string {
	const entries = Object.entries(dropped)
	return entries.length === 0
		? '0'
		: entries.map(([reason, count]) => `${grouped(count)} (${reason})`).join(', ')
}

/** Machine, settings and notes: the lines above the tables. */
export function headOf(result: BenchResult): string[] {
	const { machine, settings } = result
	const lines = [
		`Vör ${result.vor}, ${result.date.slice(0, 16).replace('T', ' ')} UTC, ${result.command}`,
		`${machine.cpus} × ${machine.cpu}${machine.virtual ? ' (virtual)' : ''}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Linux ${machine.kernel} ${machine.arch}, Node ${machine.node}, load average ${machine.loadAverage.toFixed(1)}`,
		`Basic case: ${basicText(result)}; kernel at ${rateText(KERNEL_RATE)}, ${settings.userMs === 0 ? 'user space left out' : `user space at ${rateText(USER_RATE)}`}. ${settings.pairs} pairs of ${settings.roundMs} ms rounds.`,
	]
	for (const { letter, surface, storage, refusal } of result.surfaces)
		lines.push(
			refusal === ''
				? `Surface ${letter} (${surface}): loads, state in the ${storage} storage.`
				: `Surface ${letter} (${surface}): refused. ${refusal}`,
		)
	return [...lines, ...result.notes.map((note) => `Note: ${note}`)]
}
