import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Language, ProcessFact } from '../model/process-fact.ts'
import { type ExecutableInfo, inspectPath } from './executable.ts'
import { languageOfMaps, languageOfName } from './language.ts'
import { type Listeners, portsOf, readListeners } from './listen-ports.ts'
import { SDK_VARIABLES } from './otel-env.ts'
import { findPackage } from './package-name.ts'
import { findScript } from './script.ts'
import { baseName } from './service-name.ts'

/** What /proc tells of one process. Plain data: crosses from the worker. */
export interface ScannedProcess {
	readonly pid: number
	/** Start in whole clock ticks as boot-clock ns: /proc rounds down to 10 ms. */
	readonly startTickNs: number
	readonly parentPid: number
	readonly comm: string
	readonly executable: string
	/** `device:inode` of the executable file, '' when not readable. */
	readonly executableKey: string
	readonly commandLine: readonly string[]
	readonly otelEnv: readonly string[]
	readonly sdkVariables: readonly (readonly [string, string])[]
	readonly language: Language
	readonly runtimeVersion: string
	readonly linkedExporters: ProcessFact['exportsOtlp']
	readonly packageName: string
	readonly packageVersion: string
	readonly containerId: string
	readonly inContainer: boolean
	readonly uid: number
	readonly listenPorts: readonly number[]
	readonly sites: ExecutableInfo['sites']
}

const TICK_NS = 1e7
/** Enough for every selector and name; a classpath of 100 KiB is not carried along. */
const MAX_COMMAND_LINE = 4096
const MAX_ENVIRONMENT = 128 * 1024

/** Reads /proc, synchronously: for the worker and for one-shot commands. Remembers executables by device and inode. */
export interface ProcScanner {
	scanAll(): ScannedProcess[]
	/** undefined: gone, or a kernel thread. */
	scan(pid: number): ScannedProcess | undefined
}

export function createProcScanner(proc = '/proc'): ProcScanner {
	const ownPidNamespace = link(`${proc}/self/ns/pid`)
	const scanOne = (pid: number, listenersOf: (pid: number) => Listeners): ScannedProcess | undefined => {
		const stat = parseStat(text(`${proc}/${pid}/stat`))
		if (stat === undefined || stat.kernelThread) return undefined
		const executable = link(`${proc}/${pid}/exe`)
		if (executable === '') return undefined
		const commandLine = splitNul(text(`${proc}/${pid}/cmdline`).slice(0, MAX_COMMAND_LINE))
		const environment = splitNul(text(`${proc}/${pid}/environ`).slice(0, MAX_ENVIRONMENT))
		const info = inspectPath(`${proc}/${pid}/exe`, baseName(executable))
		const language = detectLanguage(proc, pid, executable, info)
		const pack = language === 'nodejs' ? packageOf(proc, pid, commandLine) : { name: '', version: '' }
		const cgroup = text(`${proc}/${pid}/cgroup`)
		const containerId = containerIdOf(cgroup)
		const pidNamespace = link(`${proc}/${pid}/ns/pid`)
		return {
			pid,
			startTickNs: stat.startTicks * TICK_NS,
			parentPid: stat.parentPid,
			comm: stat.comm,
			executable,
			executableKey: info.key,
			commandLine,
			otelEnv: environment.filter((entry) => entry.startsWith('OTEL_')),
			sdkVariables: pickVariables(environment),
			language,
			runtimeVersion: info.kind.runtimeVersion,
			linkedExporters: info.kind.linkedExporters,
			packageName: pack.name,
			packageVersion: pack.version,
			containerId,
			inContainer: containerId !== '' || (pidNamespace !== '' && pidNamespace !== ownPidNamespace),
			uid: ownerOf(`${proc}/${pid}`),
			listenPorts: portsOf(proc, pid, listenersOf(pid)),
			sites: info.sites,
		}
	}
	return {
		scanAll() {
			// One reading of the listeners per network namespace, not per process.
			const byNamespace = new Map<string, Listeners>()
			const listenersOf = (pid: number): Listeners => {
				const namespace = link(`${proc}/${pid}/ns/net`)
				let listeners = byNamespace.get(namespace)
				if (listeners === undefined) {
					listeners = readListeners(proc, pid)
					byNamespace.set(namespace, listeners)
				}
				return listeners
			}
			const found: ScannedProcess[] = []
			for (const name of readdirSync(proc)) {
				const pid = Number(name)
				if (!Number.isInteger(pid) || pid <= 0) continue
				const scanned = scanOne(pid, listenersOf)
				if (scanned !== undefined) found.push(scanned)
			}
			return found
		},
		scan: (pid) => scanOne(pid, (of) => readListeners(proc, of)),
	}
}

function detectLanguage(proc: string, pid: number, executable: string, info: ExecutableInfo): Language {
	if (info.kind.language !== 'generic') return info.kind.language
	const named = languageOfName(executable)
	if (named !== 'generic') return named
	return languageOfMaps(mappedFiles(text(`${proc}/${pid}/maps`)))
}

export function* mappedFiles(maps: string): Generator<string> {
	let last = ''
	for (const line of maps.split('\n')) {
		const slash = line.indexOf('/')
		if (slash < 0) continue
		const path = line.slice(slash)
		if (path !== last) yield path
		last = path
	}
}

function packageOf(
	proc: string,
	pid: number,
	commandLine: readonly string[],
): { name: string; version: string } {
	const root = `${proc}/${pid}/root`
	const cwd = link(`${proc}/${pid}/cwd`)
	if (cwd === '') return { name: '', version: '' }
	const script = findScript('nodejs', commandLine)?.path ?? ''
	// process.title overwrites argv with one string: then only the working folder is left to ask.
	const titled = commandLine.length === 1 && languageOfName(commandLine[0] ?? '') === 'generic'
	if (script === '' && !titled) return { name: '', version: '' }
	return findPackage(root, cwd, script, script === '' ? '' : realPath(root, resolve(cwd, script)))
}

function realPath(root: string, path: string): string {
	try {
		const real = realpathSync(`${root}${path}`)
		// In another mount namespace the kernel resolves below /proc/<pid>/root; in ours it is our own path.
		return real.startsWith(`${root}/`) ? real.slice(root.length) : real
	} catch {
		return path
	}
}

/** Fields of /proc/<pid>/stat. comm may hold spaces and parentheses: the last ')' ends it. */
export function parseStat(
	stat: string,
): { comm: string; parentPid: number; startTicks: number; kernelThread: boolean } | undefined {
	const open = stat.indexOf('(')
	const close = stat.lastIndexOf(')')
	if (open < 0 || close < open) return undefined
	const fields = stat.slice(close + 2).split(' ')
	const startTicks = Number(fields[19])
	if (!Number.isFinite(startTicks)) return undefined
	return {
		comm: stat.slice(open + 1, close),
		parentPid: Number(fields[1]),
		startTicks,
		// PF_KTHREAD
		kernelThread: (Number(fields[6]) & 0x200000) !== 0,
	}
}

/** The last 64-digit id in the path: of nested containers the innermost. */
export function containerIdOf(cgroup: string): string {
	let id = ''
	for (const match of cgroup.matchAll(/(?:^|[/:.-])([0-9a-f]{64})(?:\.scope)?(?:\/[^/\n]*)?$/gm))
		id = match[1] as string
	return id
}

function pickVariables(environment: readonly string[]): [string, string][] {
	const picked: [string, string][] = []
	for (const entry of environment) {
		const equals = entry.indexOf('=')
		const name = entry.slice(0, equals)
		if ((SDK_VARIABLES as readonly string[]).includes(name)) picked.push([name, entry.slice(equals + 1)])
	}
	return picked
}

/** Reads what is there; '' when the process is gone or the file is not ours to read. */
function text(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		return ''
	}
}

function link(path: string): string {
	try {
		return readlinkSync(path)
	} catch {
		return ''
	}
}

function ownerOf(path: string): number {
	try {
		return statSync(path).uid
	} catch {
		return 0
	}
}

function splitNul(value: string): string[] {
	if (value === '') return []
	const parts = value.split('\0')
	if (parts.at(-1) === '') parts.pop()
	return parts
}
