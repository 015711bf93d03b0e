import { BpfError, type BpfLink, type BpfObject, openObject, probeFeature } from 'bpf-native-loader'
import { VorError } from '../util/errors.ts'
import { checkLayout } from './layout-check.ts'
import type { CaptureOptions } from './options.ts'
import { objectPath } from './paths.ts'

/** The loaded BPF object with its knobs set, not attached yet. */
export interface KernelObject {
	readonly object: BpfObject
	/** 'tp_btf' (surface A of the design) and where connections keep their state. */
	readonly surface: string
	readonly storage: 'socket' | 'hash'
	/** Hooks this kernel does not have; what they give is absent. */
	readonly missingHooks: readonly string[]
	/** Attaches every program that has a place of its own (all but iterators and uprobes). */
	attach(): Promise<BpfLink[]>
	/** Says that vor_processes changed: connections ask again. */
	bumpSelection(): void
}

/** Without these nothing can be seen; the others add precision. */
const REQUIRED_HOOKS = [
	'sock_recv_length',
	'sock_send_length',
	'sched_process_exec',
	'sched_process_fork',
	'sched_process_exit',
	'inet_sock_set_state',
]

const OBJECTS = { socket: 'sock', hash: 'sock_hash' } as const

/** The part of the options that matters for loading. */
export type LoadOptions = Partial<CaptureOptions>

export async function loadKernelObject(options: LoadOptions): Promise<KernelObject> {
	if (options.objectPath !== undefined) {
		return load(options.objectPath, options.storage === 'hash' ? 'hash' : 'socket', options)
	}
	const wanted = options.storage ?? 'auto'
	if (wanted !== 'auto') return load(objectPath(OBJECTS[wanted]), wanted, options)
	try {
		return await load(objectPath(OBJECTS.socket), 'socket', options)
	} catch (reason) {
		if (!(reason instanceof VorError) || reason.code !== 'E_BPF_LOAD') throw reason
		options.notice?.('warn', `connection state on the socket was refused (${reason.message}); using the hash`)
		return load(objectPath(OBJECTS.hash), 'hash', options)
	}
}

/**
 * Everything at once, which is what most kernels take; only where that is refused are the hooks probed one by one and the
 * rest loaded. Probing first would cost every start a reading of the kernel's types for each hook.
 */
async function load(path: string, storage: 'socket' | 'hash', options: LoadOptions): Promise<KernelObject> {
	const whole = openOrExplain(path)
	try {
		checkLayout(whole, path)
		return await loadWithout([], whole, storage, options)
	} catch (reason) {
		whole.close()
		if (!(reason instanceof BpfError)) throw explain(reason, path)
		const part = openOrExplain(path)
		try {
			const missing = await switchOffMissing(part)
			if (missing.length === 0) throw reason
			return await loadWithout(missing, part, storage, options)
		} catch (second) {
			part.close()
			throw explain(second, path)
		}
	}
}

async function loadWithout(
	missingHooks: readonly string[],
	object: BpfObject,
	storage: 'socket' | 'hash',
	options: LoadOptions,
): Promise<KernelObject> {
	object.setGlobal('vor_self_tgid', options.selfPid ?? process.pid)
	object.setGlobal('vor_capture_unix', options.unixSockets ?? true)
	object.setGlobal('vor_selection_generation', GENERATION_MARK)
	object.setGlobal('vor_hooks_seen', HOOKS_MARK)
	if (options.ringBytes !== undefined) object.setMaxEntries('vor_ring', options.ringBytes)
	await object.load()
	const words = sharedWords(object)
	return {
		object,
		surface: 'tp_btf',
		storage,
		missingHooks,
		async attach() {
			const links = await attachAll(object, missingHooks)
			words.openHooks()
			return links
		},
		bumpSelection: words.bumpSelection,
	}
}

function openOrExplain(path: string): BpfObject {
	try {
		return openObject(path)
	} catch (reason) {
		throw explain(reason, path)
	}
}

function explain(reason: unknown, path: string): VorError {
	if (reason instanceof VorError) return reason
	if (reason instanceof BpfError && (reason.errno === 'EPERM' || reason.errno === 'EACCES')) {
		return new VorError('E_PRIVILEGE', `the kernel refuses BPF: ${reason.message}`, {
			fix: 'run as root or with CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; `vor check` says more',
			cause: reason,
		})
	}
	const message = reason instanceof Error ? reason.message : String(reason)
	return new VorError('E_BPF_LOAD', `${path}: ${message}`, {
		fix: 'vor check says what this kernel lacks',
		cause: reason,
	})
}

/** Programs for hooks that this kernel lacks are not loaded: one missing tracepoint would refuse the whole object. */
async function switchOffMissing(object: BpfObject): Promise<string[]> {
	const programs = object.programs.filter((program) => program.section.startsWith('tp_btf/'))
	const hooks = [...new Set(programs.map((program) => program.section.slice('tp_btf/'.length)))]
	const found = await Promise.all(hooks.map((name) => probeFeature({ kind: 'tp_btf', name })))
	const missing = hooks.filter((_, i) => found[i]?.supported !== true)
	const refused = found.find((probe) => probe.errno === 'EPERM')
	if (refused !== undefined && missing.length === hooks.length) {
		throw new VorError('E_PRIVILEGE', `the kernel refuses to load BPF programs: ${refused.message}`, {
			fix: 'run as root (sudo vor run …), or give it CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (systemd: AmbientCapabilities=…); `vor check` says more',
		})
	}
	for (const name of missing) {
		if (REQUIRED_HOOKS.includes(name)) {
			throw new VorError('E_KERNEL', `this kernel has no tracepoint ${name} that BPF programs can use`, {
				fix: 'a kernel of 6.3 or newer with BTF (CONFIG_DEBUG_INFO_BTF) is needed',
			})
		}
		for (const program of programs) {
			if (program.section === `tp_btf/${name}`) object.setAutoload(program.name, false)
		}
	}
	return missing
}

async function attachAll(object: BpfObject, missingHooks: readonly string[]): Promise<BpfLink[]> {
	const places = object.programs.filter(
		({ section }) => section.startsWith('tp_btf/') && !missingHooks.includes(section.slice('tp_btf/'.length)),
	)
	// Processes first: from then on no process can start unseen.
	places.sort((a, b) => Number(b.section.includes('sched_')) - Number(a.section.includes('sched_')))
	const links: BpfLink[] = []
	for (const { name } of places) links.push(await object.program(name).attach())
	return links
}

/** Start values by which two words are found in the mapped section, whose symbols we do not read. */
const GENERATION_MARK = 0x5e1ec7ed
/** Never equal to HOOKS_ALL, whatever bits the hooks set in it: they look at nothing before we say so. */
const HOOKS_MARK = 0x40c50000
/** HOOKS_ALL of bpf/include/globals.h. */
const HOOKS_ALL = 3

interface SharedWords {
	bumpSelection(): void
	/**
	 * Both socket hooks hang. Told from here, because the hooks find it out only by running once each, and would not look
	 * at those first operations: on a quiet machine the first request.
	 */
	openHooks(): void
}

/** After load, before attach. */
function sharedWords(object: BpfObject): SharedWords {
	const words = new Uint32Array(object.map('.bss').mmap())
	const generation = words.indexOf(GENERATION_MARK)
	const hooks = words.indexOf(HOOKS_MARK)
	if (generation < 0 || hooks < 0) {
		throw new VorError('E_LAYOUT', 'the words shared with the kernel are not in the object', {
			fix: 'npm run build',
		})
	}
	return {
		bumpSelection: () => void Atomics.add(words, generation, 1),
		openHooks: () => void Atomics.store(words, hooks, HOOKS_ALL),
	}
}
