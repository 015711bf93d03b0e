import type { Language, ProcessFact } from '../model/process-fact.ts'
import { languageOfName } from './language.ts'
import { combine, exportsOtlp, parseOtelEnvironment } from './otel-env.ts'
import type { ScannedProcess } from './scan.ts'
import type { Candidate, Verdict } from './selection.ts'
import { nameService } from './service-name.ts'

/** One process as the table keeps it: sources, from which the fact is made. Owned and changed by the table alone. */
export interface Entry {
	readonly pid: number
	startNs: number
	/** False while the start is known to 10 ms only (from /proc). */
	exactStart: boolean
	parentPid: number
	comm: string
	executable: string
	executableKey: string
	commandLine: readonly string[]
	commandLineFromExec: boolean
	otelEnv: readonly string[]
	sdkVariables: ReadonlyMap<string, string>
	/** undefined until the worker looked. */
	scannedLanguage: Language | undefined
	runtimeVersion: string
	linkedExporters: ProcessFact['exportsOtlp']
	packageName: string
	packageVersion: string
	containerId: string
	inContainer: boolean
	uid: number
	listenPorts: readonly number[]
	sites: ScannedProcess['sites']
	/** Seen exporting by its own exchanges. */
	seenTraces: boolean
	seenMetrics: boolean
	exitNs: number
	/** Time of the last exec seen, else 0. */
	imageNs: number
	/** Which of all execs seen that was, counted by the table. */
	imageCount: number
	language: Language
	fact: ProcessFact
	verdict: Verdict | undefined
	/** What the kernel was told last. */
	kernel: 'selected' | 'rejected' | 'forget'
	kernelNginx: boolean
}

export function newEntry(pid: number, startNs: number, parentPid: number, comm: string): Entry {
	return {
		pid,
		startNs,
		exactStart: true,
		parentPid,
		comm,
		executable: '',
		executableKey: '',
		commandLine: [],
		commandLineFromExec: false,
		otelEnv: [],
		sdkVariables: new Map(),
		scannedLanguage: undefined,
		runtimeVersion: '',
		linkedExporters: 'none',
		packageName: '',
		packageVersion: '',
		containerId: '',
		inContainer: false,
		uid: 0,
		listenPorts: [],
		sites: [],
		seenTraces: false,
		seenMetrics: false,
		exitNs: 0,
		imageNs: 0,
		imageCount: 0,
		language: 'generic',
		fact: NO_FACT,
		verdict: undefined,
		kernel: 'forget',
		kernelNginx: false,
	}
}

const NO_FACT: ProcessFact = {
	pid: 0,
	startNs: 0,
	parentPid: 0,
	comm: '',
	executable: '',
	commandLine: [],
	language: 'generic',
	serviceName: '',
	serviceNameSource: 'comm',
	serviceNamespace: '',
	serviceVersion: '',
	resourceAttributes: {},
	containerId: '',
	ownerUid: 0,
	listenPorts: [],
	selection: 'unknown',
	selectionReason: '',
	exportsOtlp: 'none',
	exitNs: 0,
}

/** Makes the fact of an entry; sets the entry's language. */
export function buildFact(
	entry: Entry,
	isSelf: boolean,
	decide: (candidate: Candidate) => Verdict,
	options: { excludeOtelInstrumented: boolean },
): { fact: ProcessFact; verdict: Verdict } {
	// Before the worker looked, the name under which it was started has to do: /usr/bin/python3 tells enough.
	const named = languageOfName(entry.executable)
	const started = named === 'generic' ? languageOfName(entry.commandLine[0] ?? '') : named
	entry.language =
		entry.scannedLanguage === undefined || (entry.scannedLanguage === 'generic' && named !== 'generic')
			? started
			: entry.scannedLanguage
	// A script (#!) was started under its own name: the interpreter is in argv until /proc tells the executable.
	const executable =
		entry.scannedLanguage === undefined && named === 'generic' && started !== 'generic'
			? (entry.commandLine[0] ?? '')
			: entry.executable
	const verdict = decide({
		pid: entry.pid,
		executable,
		commandLine: entry.commandLine,
		language: entry.language,
		inContainer: entry.inContainer,
		listenPorts: entry.listenPorts,
		isSelf,
	})
	const otel = parseOtelEnvironment(entry.otelEnv)
	const service = nameService({
		otel,
		configuredName: verdict.name,
		language: entry.language,
		executable,
		commandLine: entry.commandLine,
		packageName: entry.packageName,
		comm: entry.comm,
	})
	const {
		'service.name': _name,
		'service.namespace': namespace,
		...resourceAttributes
	} = otel.resourceAttributes
	const declared = exportsOtlp(entry.commandLine, entry.sdkVariables, otel, entry.linkedExporters)
	const traces = entry.seenTraces || declared === 'traces' || declared === 'both'
	const metrics = entry.seenMetrics || declared === 'metrics' || declared === 'both'
	const fact: ProcessFact = {
		pid: entry.pid,
		startNs: entry.startNs,
		parentPid: entry.parentPid,
		comm: entry.comm,
		executable,
		commandLine: entry.commandLine,
		language: entry.language,
		serviceName: service.name,
		serviceNameSource: service.source,
		serviceNamespace: namespace ?? verdict.namespace,
		serviceVersion: service.source === 'package' ? entry.packageVersion : '',
		resourceAttributes,
		containerId: entry.containerId,
		ownerUid: entry.uid,
		listenPorts: entry.listenPorts,
		selection: verdict.selection,
		selectionReason: verdict.reason,
		exportsOtlp: options.excludeOtelInstrumented ? combine(traces, metrics) : 'none',
		exitNs: entry.exitNs,
		imageNs: entry.imageNs,
	}
	return { fact, verdict }
}

export function sameFact(a: ProcessFact, b: ProcessFact): boolean {
	return (
		a.pid === b.pid &&
		a.startNs === b.startNs &&
		a.parentPid === b.parentPid &&
		a.comm === b.comm &&
		a.executable === b.executable &&
		sameList(a.commandLine, b.commandLine) &&
		a.language === b.language &&
		a.serviceName === b.serviceName &&
		a.serviceNameSource === b.serviceNameSource &&
		a.serviceNamespace === b.serviceNamespace &&
		a.serviceVersion === b.serviceVersion &&
		sameRecord(a.resourceAttributes, b.resourceAttributes) &&
		a.containerId === b.containerId &&
		a.ownerUid === b.ownerUid &&
		sameList(a.listenPorts, b.listenPorts) &&
		a.selection === b.selection &&
		a.selectionReason === b.selectionReason &&
		a.exportsOtlp === b.exportsOtlp &&
		a.exitNs === b.exitNs &&
		a.imageNs === b.imageNs
	)
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
	return a === b || (a.length === b.length && a.every((value, index) => value === b[index]))
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
	const names = Object.keys(a)
	return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** What /proc told, into the entry. */
export function takeScanned(entry: Entry, scanned: ScannedProcess): void {
	entry.parentPid = scanned.parentPid
	entry.comm = scanned.comm
	entry.executable = scanned.executable
	entry.executableKey = scanned.executableKey
	// argv of the exec record is what was really given; /proc shows what the program made of it (titles).
	if (!entry.commandLineFromExec || isCut(entry.commandLine)) entry.commandLine = scanned.commandLine
	entry.otelEnv = scanned.otelEnv
	entry.sdkVariables = new Map(scanned.sdkVariables)
	entry.scannedLanguage = scanned.language
	entry.runtimeVersion = scanned.runtimeVersion
	entry.linkedExporters = scanned.linkedExporters
	entry.packageName = scanned.packageName
	entry.packageVersion = scanned.packageVersion
	entry.containerId = scanned.containerId
	entry.inContainer = scanned.inContainer
	entry.uid = scanned.uid
	entry.sites = scanned.sites
	// LISTEN records may be ahead of the scan, never behind it for long: ports are only added here.
	const ports = new Set([...entry.listenPorts, ...scanned.listenPorts])
	if (ports.size !== entry.listenPorts.length) entry.listenPorts = [...ports].sort((a, b) => a - b)
}

/** What a forked child shares with its parent until it execs. */
export function inherit(child: Entry, parent: Entry): void {
	child.executable = parent.executable
	child.executableKey = parent.executableKey
	child.commandLine = parent.commandLine
	child.commandLineFromExec = parent.commandLineFromExec
	child.otelEnv = parent.otelEnv
	child.sdkVariables = parent.sdkVariables
	child.scannedLanguage = parent.scannedLanguage
	child.runtimeVersion = parent.runtimeVersion
	child.linkedExporters = parent.linkedExporters
	child.packageName = parent.packageName
	child.packageVersion = parent.packageVersion
	child.containerId = parent.containerId
	child.inContainer = parent.inContainer
	child.uid = parent.uid
	child.sites = parent.sites
	child.listenPorts = parent.listenPorts
	child.seenTraces = parent.seenTraces
	child.seenMetrics = parent.seenMetrics
}

/** The exec record holds 512 bytes of argv. */
const EXEC_ARGS_MAX = 512

function isCut(args: readonly string[]): boolean {
	let bytes = 0
	for (const arg of args) bytes += Buffer.byteLength(arg) + 1
	return bytes >= EXEC_ARGS_MAX
}
