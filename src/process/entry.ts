import type { ExecEvent } from '../model/process-event.ts'
import type { Language, ProcessFact } from '../model/process-fact.ts'
import type { ScannedProcess } from './scan.ts'
import type { Verdict } from './selection.ts'

/** One process as the table keeps it: sources, from which the fact is made. Owned and changed by the table and its parts alone. */
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

/** A new image, the `count`th of all: nothing of the old one holds, but sockets without close-on-exec (a scan finds them). */
export function takeImage(entry: Entry, event: ExecEvent, count: number): void {
	entry.imageNs = event.timeNs
	entry.imageCount = count
	entry.parentPid = event.parentPid
	entry.comm = event.comm
	entry.executable = event.filename
	entry.executableKey = ''
	entry.commandLine = event.args
	entry.commandLineFromExec = true
	entry.otelEnv = event.env
	entry.sdkVariables = new Map()
	entry.scannedLanguage = undefined
	entry.runtimeVersion = ''
	entry.linkedExporters = 'none'
	entry.packageName = ''
	entry.packageVersion = ''
	entry.sites = []
	entry.listenPorts = []
	entry.seenTraces = false
	entry.seenMetrics = false
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
