import type { Language, Selection } from '../model/process-fact.ts'
import { compileGlob, type Glob } from './glob.ts'
import { type PortSet, parsePorts } from './ports.ts'
import { compileRegexp } from './regexp.ts'

/** One `instrument` or `exclude_instrument` entry, as written. Conditions left out are not asked. */
export interface SelectorSource {
	readonly openPorts?: string
	readonly exePath?: string
	readonly cmdArgs?: string
	readonly languages?: string
	readonly targetPids?: readonly number[]
	readonly containersOnly?: boolean
	/** The patterns are regular expressions that match anywhere, not globs over the whole text. */
	readonly regexp?: boolean
	readonly name?: string
	readonly namespace?: string
	/** Signals to export; undefined = all, empty = discover only. */
	readonly exports?: readonly string[]
}

/** What the user's `discovery` block says. No `instrument` entry at all: everything that speaks HTTP. */
export interface SelectionSource {
	readonly instrument?: readonly SelectorSource[]
	readonly excludeInstrument?: readonly SelectorSource[]
	/** Replaces the built-in list (Beyla, Alloy, collectors) when given. Vör itself is excluded in any case. */
	readonly defaultExcludeInstrument?: readonly SelectorSource[]
	/** Leaves out signals that a program exports itself. Default true. */
	readonly excludeOtelInstrumented?: boolean
}

interface Selector {
	readonly label: string
	readonly ports: PortSet | undefined
	readonly exePath: Glob | undefined
	readonly cmdArgs: Glob | undefined
	readonly languages: Glob | undefined
	readonly pids: ReadonlySet<number> | undefined
	readonly containersOnly: boolean
	readonly name: string
	readonly namespace: string
	readonly exports: readonly string[] | undefined
}

export interface SelectionRules {
	readonly instrument: readonly Selector[]
	readonly exclude: readonly Selector[]
	readonly excludeOtelInstrumented: boolean
}

/** What a selector looks at. */
export interface Candidate {
	readonly pid: number
	readonly executable: string
	readonly commandLine: readonly string[]
	readonly language: Language
	/** In a container, or in a pid namespace of its own. */
	readonly inContainer: boolean
	readonly listenPorts: readonly number[]
	readonly isSelf: boolean
}

export interface Verdict {
	readonly selection: Selection
	readonly reason: string
	/** Names set by the last matching entry, '' = none. */
	readonly name: string
	readonly namespace: string
	readonly exports: readonly string[] | undefined
	/** Rejected only because it listens on none of the asked ports (yet). */
	readonly awaitsPort: boolean
}

/** The executables that observe others: seeing them would only show our own kind at work. */
export const DEFAULT_EXCLUDE: readonly SelectorSource[] = [
	{
		exePath:
			'{*beyla,*alloy,*prometheus-config-reloader,*ebpf-instrument,*/obi,obi,*otelcol,*otelcol-contrib,*otelcol-contrib[!/]*}',
	},
]

/** Rules ready to be asked, and everything that is wrong with the source, all at once. */
export function compileSelection(source: SelectionSource): { rules: SelectionRules; errors: string[] } {
	const errors: string[] = []
	const compile = (list: readonly SelectorSource[], block: string): Selector[] =>
		list.map((entry, index) => compileSelector(entry, `${block}[${index}]`, errors))
	const instrument = compile(source.instrument ?? [], 'instrument')
	const exclude = [
		...compile(source.defaultExcludeInstrument ?? DEFAULT_EXCLUDE, 'default_exclude_instrument'),
		...compile(source.excludeInstrument ?? [], 'exclude_instrument'),
	]
	return {
		rules: { instrument, exclude, excludeOtelInstrumented: source.excludeOtelInstrumented ?? true },
		errors,
	}
}

function compileSelector(source: SelectorSource, label: string, errors: string[]): Selector {
	const glob = (name: string, pattern: string | undefined): Glob | undefined => {
		if (pattern === undefined || pattern === '') return undefined
		const compiled = source.regexp === true ? compileRegexp(pattern) : compileGlob(pattern)
		if ('matches' in compiled) return compiled
		errors.push(`${label}: ${name} ${JSON.stringify(pattern)}: ${compiled.error}`)
		return undefined
	}
	let ports: PortSet | undefined
	if (source.openPorts !== undefined && source.openPorts !== '') {
		const parsed = parsePorts(source.openPorts)
		if ('has' in parsed) ports = parsed
		else errors.push(`${label}: open_ports: ${parsed.error}`)
	}
	return {
		label,
		ports,
		exePath: glob('exe_path', source.exePath),
		cmdArgs: glob('cmd_args', source.cmdArgs),
		languages: glob('languages', source.languages),
		pids: source.targetPids?.length ? new Set(source.targetPids) : undefined,
		containersOnly: source.containersOnly ?? false,
		name: source.name ?? '',
		namespace: source.namespace ?? '',
		exports: source.exports,
	}
}

/** Excludes first, then the entries in order: any may select, the last one that matches sets names and exports. */
export function evaluate(rules: SelectionRules, candidate: Candidate): Verdict {
	if (candidate.isSelf) return rejected('is Vör itself')
	for (const selector of rules.exclude) {
		if (hasCondition(selector) && match(selector, candidate) === 'yes') {
			return rejected(`excluded by ${describe(selector, candidate)}`)
		}
	}
	if (rules.instrument.length === 0) {
		return {
			selection: 'selected',
			reason: 'everything is selected (no instrument entry)',
			name: '',
			namespace: '',
			exports: undefined,
			awaitsPort: false,
		}
	}
	let last: Selector | undefined
	let awaitsPort = false
	for (const selector of rules.instrument) {
		const outcome = match(selector, candidate)
		if (outcome === 'yes') last = selector
		else if (outcome === 'port') awaitsPort = true
	}
	if (last === undefined) {
		return awaitsPort
			? { ...rejected('listens on none of the selected ports'), awaitsPort }
			: rejected('matches no instrument entry')
	}
	return {
		selection: 'selected',
		reason: `selected by ${describe(last, candidate)}`,
		name: last.name,
		namespace: last.namespace,
		exports: last.exports,
		awaitsPort: false,
	}
}

function rejected(reason: string): Verdict {
	return { selection: 'rejected', reason, name: '', namespace: '', exports: undefined, awaitsPort: false }
}

/** An exclude entry without a condition would exclude everything: it excludes nothing, as in Beyla. */
function hasCondition(s: Selector): boolean {
	return (
		s.ports !== undefined ||
		s.exePath !== undefined ||
		s.cmdArgs !== undefined ||
		s.languages !== undefined ||
		s.pids !== undefined ||
		s.containersOnly
	)
}

/** 'port': everything but the port matches. */
function match(s: Selector, c: Candidate): 'yes' | 'no' | 'port' {
	if (!hasCondition(s)) return 'no'
	if (s.pids !== undefined && !s.pids.has(c.pid)) return 'no'
	if (s.exePath !== undefined && !s.exePath.matches(c.executable)) return 'no'
	if (s.cmdArgs !== undefined && !s.cmdArgs.matches(c.commandLine.join(' '))) return 'no'
	if (s.languages !== undefined && !s.languages.matches(c.language)) return 'no'
	if (s.containersOnly && !c.inContainer) return 'no'
	if (s.ports !== undefined && !c.listenPorts.some((port) => s.ports?.has(port))) return 'port'
	return 'yes'
}

function describe(s: Selector, c: Candidate): string {
	const parts: string[] = []
	if (s.ports !== undefined) parts.push(`open_ports ${s.ports.text}`)
	if (s.exePath !== undefined) parts.push(`exe_path ${s.exePath.pattern}`)
	if (s.cmdArgs !== undefined) parts.push(`cmd_args ${s.cmdArgs.pattern}`)
	if (s.languages !== undefined) parts.push(`languages ${s.languages.pattern}`)
	if (s.pids !== undefined) parts.push(`target_pids ${c.pid}`)
	if (s.containersOnly) parts.push('containers_only')
	return `${s.label} (${parts.join(', ')})`
}
