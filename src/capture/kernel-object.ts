import { BpfError, type BpfLink, type BpfObject, openObject, probeFeature } from 'bpf-native-loader'
import { VorError } from '../util/errors.ts'
import { findBtf, missingBtf } from './btf.ts'
import {
	attachHooks,
	hookOf,
	linkAgain,
	linkSteps,
	switchOffAbsentFunctions,
	switchOffRefused,
} from './hooks.ts'
import { waitingReceives } from './kretprobe-room.ts'
import { checkLayout } from './layout-check.ts'
import { raisingMemoryLock } from './memory-lock.ts'
import type { CaptureOptions } from './options.ts'
import { objectPath } from './paths.ts'
import { isAfter, isPreemptible, preparePreemption } from './preemption.ts'
import { FORMS, type StorageName, SURFACES, type SurfaceForm, type SurfaceName } from './surfaces.ts'

/** The loaded BPF object with its knobs set, not attached yet. */
export interface KernelObject {
	readonly object: BpfObject
	/** Name of its BPF object, without `.bpf.o`. */
	readonly form: string
	/** The attach surface (design, section 3) and where connections keep their state. */
	readonly surface: SurfaceName
	readonly storage: StorageName
	/** Hooks this kernel does not have; what they give is absent. */
	readonly missingHooks: readonly string[]
	/** The program is in the kernel. */
	isLoaded(program: { readonly name: string; readonly section: string }): boolean
	/** Attaches every program that has a place of its own (all but iterators and uprobes). */
	attach(): Promise<BpfLink[]>
	/** Says that vor_processes changed: connections ask again. */
	bumpSelection(): void
}

/** The part of the options that matters for loading. */
export type LoadOptions = Partial<CaptureOptions>

/** Loads the first form that this kernel takes, of those that were asked for. */
export async function loadKernelObject(options: LoadOptions): Promise<KernelObject> {
	if (findBtf() === undefined) throw missingBtf()
	const surface = surfaceOf(options)
	const storage = options.storage ?? 'auto'
	const forms = FORMS.filter(
		(form) =>
			(surface === 'auto' || form.surface === surface) && (storage === 'auto' || form.storage === storage),
	)
	if (options.objectPath !== undefined) return load(options.objectPath, formOf(options.objectPath), options)
	const refusals: { form: SurfaceForm; error: VorError }[] = []
	for (const form of forms) {
		try {
			return await loadForm(form, options)
		} catch (reason) {
			if (!(reason instanceof VorError) || !['E_BPF_LOAD', 'E_KERNEL'].includes(reason.code)) throw reason
			refusals.push({ form, error: reason })
			if (form !== forms.at(-1))
				options.notice?.('info', `${form.object}: ${reason.message}; trying the next`)
		}
	}
	throw refusal(refusals, surface, storage)
}

/** VOR_SURFACE decides where the configuration does not: for tests and for a first look at a strange kernel. */
function surfaceOf({ surface = 'auto' }: LoadOptions): 'auto' | SurfaceName {
	const wanted = process.env['VOR_SURFACE'] ?? ''
	if (surface !== 'auto' || wanted === '' || wanted === 'auto') return surface
	const known = SURFACES.find((name) => name === wanted)
	if (known === undefined) {
		throw new VorError('E_CONFIG', `VOR_SURFACE is ${wanted}, which is no attach surface`, {
			fix: `one of auto, ${SURFACES.join(', ')}`,
		})
	}
	return known
}

function formOf(path: string): SurfaceForm {
	const name = /([^/]+?)(\.bpf)?\.o$/.exec(path)?.[1] ?? ''
	return FORMS.find((form) => form.object === name) ?? (FORMS[0] as SurfaceForm)
}

function refusal(
	refusals: readonly { form: SurfaceForm; error: VorError }[],
	surface: string,
	storage: string,
): VorError {
	const [first] = refusals
	if (first === undefined) {
		return new VorError('E_CONFIG', `surface ${surface} keeps no state in the ${storage}`, {
			fix: 'storage = "auto"',
		})
	}
	if (refusals.length === 1) return first.error
	// Forms of one surface mostly lack the same: said once, with the names of all.
	const messages = new Map<string, string[]>()
	for (const { form, error } of refusals) {
		const objects = messages.get(error.message)
		if (objects === undefined) messages.set(error.message, [form.object])
		else objects.push(form.object)
	}
	const each = [...messages].map(([message, objects]) => `${objects.join(', ')}: ${message}`).join('; ')
	const isAsked = surface !== 'auto'
	return new VorError(
		'E_KERNEL',
		`${isAsked ? `surface ${surface} does not load` : 'no attach surface loads'} here: ${each}`,
		{
			fix: isAsked ? 'another attach surface (surface = "auto")' : 'vor check says what this kernel lacks',
			cause: first.error,
		},
	)
}

/** The cheap question first: objects of several hundred kilobytes are not verified for a hook that may not be attached. */
async function loadForm(form: SurfaceForm, options: LoadOptions): Promise<KernelObject> {
	if (form.surface === 'fexit' || form.surface === 'kprobe') {
		const kind = form.surface === 'fexit' ? 'fentry' : 'kprobe'
		const { supported, message } = await probeFeature({ kind, name: 'tcp_sendmsg' })
		if (!supported) {
			throw new VorError('E_KERNEL', `the kernel refuses ${kind} programs: ${message}`, {
				fix: 'another attach surface (surface = "auto")',
			})
		}
	}
	return load(objectPath(form.object), form, options)
}

/**
 * Everything at once, which is what most kernels take; only where that is refused are the hooks probed one by one and the
 * rest loaded. Probing first would cost every start a reading of the kernel's types for each hook.
 */
async function load(path: string, form: SurfaceForm, options: LoadOptions): Promise<KernelObject> {
	const whole = openOrExplain(path)
	let absent: string[] = []
	try {
		checkLayout(whole, path)
		absent = switchOffAbsentFunctions(whole, form)
		return await loadWithout(absent, whole, form, options)
	} catch (reason) {
		whole.close()
		if (!(reason instanceof BpfError)) throw explain(reason, path)
		const part = openOrExplain(path)
		try {
			absent = switchOffAbsentFunctions(part, form)
			const refused = await switchOffRefused(part, form, absent)
			if (refused.length === 0) throw reason
			return await loadWithout([...absent, ...refused], part, form, options)
		} catch (second) {
			part.close()
			throw explain(second, path)
		}
	}
}

async function loadWithout(
	missingHooks: readonly string[],
	object: BpfObject,
	form: SurfaceForm,
	options: LoadOptions,
): Promise<KernelObject> {
	object.setGlobal('vor_self_tgid', options.selfPid ?? process.pid)
	object.setGlobal('vor_capture_unix', options.unixSockets ?? true)
	object.setGlobal('vor_selection_generation', GENERATION_MARK)
	object.setGlobal('vor_hooks_seen', HOOKS_MARK)
	if (options.ringBytes !== undefined) object.setMaxEntries('vor_ring', options.ringBytes)
	const isPreempted = form.surface !== 'kprobe' && !form.object.endsWith('_old') && isPreemptible()
	preparePreemption(object, isPreempted)
	const [, raised] = await raisingMemoryLock(() => object.load())
	if (raised !== '') options.notice?.('info', raised)
	if (form.surface === 'kprobe') options.notice?.('warn', `attach surface kprobe: ${waitingReceives()}`)
	linkSteps(object, missingHooks)
	if (isPreempted) linkAgain(object, missingHooks)
	const words = sharedWords(object)
	return {
		object,
		form: form.object,
		surface: form.surface,
		storage: form.storage,
		missingHooks,
		isLoaded: ({ name, section }) =>
			!missingHooks.includes(hookOf(section)) && (isPreempted || !isAfter(name)),
		async attach() {
			const links = await attachHooks(object, form, missingHooks, isPreempted)
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

/** The verifier, too, says EACCES: then it tells how far it came. */
function isPrivilege({ errno, log }: BpfError): boolean {
	return (errno === 'EPERM' || errno === 'EACCES') && !/^processed \d+ insns/m.test(log)
}

function explain(reason: unknown, path: string): VorError {
	if (reason instanceof VorError) return reason
	if (reason instanceof BpfError && isPrivilege(reason)) {
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
