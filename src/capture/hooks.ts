import { type BpfLink, type BpfObject, probeFeature } from 'bpf-native-loader'
import { VorError } from '../util/errors.ts'
import { kernelFunctions } from './kernel-functions.ts'
import { isAfter } from './preemption.ts'
import { KPROBES, type SurfaceForm } from './surfaces.ts'

/** Sections whose program names one place in the kernel: `tp_btf/sys_exit`. */
const PLACED = /^(tp_btf|fentry|fexit)\/(.+)$/

/** The place a program's section names, '' for one that is attached otherwise (iterators, uprobes, kprobes). */
export function hookOf(section: string): string {
	return PLACED.exec(section)?.[2] ?? ''
}

/**
 * Functions that this kernel does not have: their programs are switched off before the first attempt to load. With state on
 * the socket those of modules, too: for a module's function kernels crash when they check the helpers of socket storage
 * (bpf_sk_storage_tracing_allowed looks it up among the kernel's own types).
 */
export function switchOffAbsentFunctions(object: BpfObject, form: SurfaceForm): string[] {
	const isProbed = form.surface === 'kprobe'
	const names = isProbed
		? KPROBES.map(([symbol]) => symbol)
		: object.programs
				.filter(({ section }) => /^f(entry|exit)\//.test(section))
				.map(({ section }) => hookOf(section))
	if (names.length === 0) return []
	const found = kernelFunctions(names)
	if (found === undefined) {
		throw new VorError('E_KERNEL', "the list of the kernel's functions (/proc/kallsyms) cannot be read", {
			fix: 'mount /proc; CAP_SYSLOG; or another attach surface',
		})
	}
	const isUsable = (name: string): boolean =>
		found.get(name) === 'kernel' || (found.get(name) === 'module' && form.storage === 'hash')
	if (!isProbed) return switchOff(object, form, (name) => names.includes(name) && !isUsable(name), '')
	const absent = names.filter((name) => !isUsable(name))
	refuseRequired(absent, form, '')
	return absent
}

/** What is left: every hook is probed by itself, and what the kernel refuses is switched off. */
export async function switchOffRefused(
	object: BpfObject,
	form: SurfaceForm,
	already: readonly string[],
): Promise<string[]> {
	const places = new Map<string, 'tp_btf' | 'fentry'>()
	for (const { section, autoload } of object.programs) {
		const name = hookOf(section)
		if (autoload && name !== '') places.set(name, section.startsWith('tp_btf') ? 'tp_btf' : 'fentry')
	}
	const names = [...places.keys()].filter((name) => !already.includes(name))
	const found = await Promise.all(
		names.map((name) => probeFeature({ kind: places.get(name) ?? 'tp_btf', name })),
	)
	const missing = names.filter((_, i) => found[i]?.supported !== true)
	const tracepoints = names.filter((name) => places.get(name) === 'tp_btf')
	const refused = found.find((probe) => probe.errno === 'EPERM')
	if (refused !== undefined && tracepoints.every((name) => missing.includes(name))) {
		throw new VorError('E_PRIVILEGE', `the kernel refuses to load BPF programs: ${refused.message}`, {
			fix: 'run as root (sudo vor run …), or give it CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (systemd: AmbientCapabilities=…); `vor check` says more',
		})
	}
	return switchOff(object, form, (name) => missing.includes(name), refused?.message ?? '')
}

function switchOff(
	object: BpfObject,
	form: SurfaceForm,
	unwanted: (hook: string) => boolean,
	why: string,
): string[] {
	const missing = new Set<string>()
	for (const { name, section } of object.programs) {
		const hook = hookOf(section)
		if (hook === '' || !unwanted(hook)) continue
		missing.add(hook)
		object.setAutoload(name, false)
	}
	refuseRequired([...missing], form, why)
	return [...missing]
}

function refuseRequired(missing: readonly string[], form: SurfaceForm, why: string): void {
	const needed = missing.find((name) => form.required.includes(name))
	if (needed === undefined) return
	const detail = why === '' ? '' : ` (${why})`
	throw new VorError(
		'E_KERNEL',
		`this kernel has no ${needed} that programs of surface ${form.surface} can use${detail}`,
		{ fix: 'another attach surface (surface = "auto"); `vor check` says what this kernel has' },
	)
}

/** Programs of the forms for old kernels that run only by tail calls (bpf/include/steps.h). */
const STEP = 'vor_step_'
const isStep = (program: string): boolean => program.startsWith(STEP)

/** Puts the step programs into the arrays through which they are called. After load, before attach. */
export function linkSteps(object: BpfObject, missing: readonly string[]): void {
	for (const { name, section } of object.programs) {
		if (!isStep(name) || missing.includes(hookOf(section))) continue
		putProgram(object, `vor_steps_${name.slice(STEP.length)}`, name)
	}
}

/** Into the array's only place. */
function putProgram(object: BpfObject, array: string, program: string): void {
	const key = new Uint8Array(new Uint32Array([0]).buffer)
	const value = new Uint8Array(new Uint32Array([object.program(program).fd]).buffer)
	object.map(array).set(key, value)
}

/** The program that others on its hook call again, by the array through which they do (bpf/probes/after.h). */
const AGAIN = 'vor_again_'
const CALLED: Readonly<Record<string, string>> = {
	recv: 'vor_sock_recv',
	send: 'vor_sock_send',
	exit: 'vor_sys_exit',
}

/** Of surface B each function has its own, by the function's name. */
function calledAgain(object: BpfObject, missing: readonly string[]): Map<string, string> {
	const called = new Map<string, string>()
	for (const { name, section } of object.programs) {
		const array = /^vor_after_(\w+)_1$/.exec(name)?.[1] ?? ''
		if (array === '' || array === 'ready' || missing.includes(hookOf(section))) continue
		called.set(AGAIN + array, CALLED[array] ?? `vor_${array}`)
	}
	return called
}

/** After load, before attach. */
export function linkAgain(object: BpfObject, missing: readonly string[]): void {
	for (const [array, program] of calledAgain(object, missing)) putProgram(object, array, program)
}

/**
 * Attaches every program that has a place of its own. Processes first: from then on none can start unseen. Then what every
 * socket passes last, so that what belongs together comes together.
 */
export async function attachHooks(
	object: BpfObject,
	form: SurfaceForm,
	missing: readonly string[],
	isPreempted: boolean,
): Promise<BpfLink[]> {
	const rank = ({ name, hook }: { name: string; hook: string }): number =>
		hook.startsWith('sched_')
			? 0
			: isAfter(name)
				? 2 + Number(name.slice(-1))
				: form.required.includes(hook)
					? 2
					: 1
	// On B they hang there instead of it.
	const replaced = isPreempted && form.surface === 'fexit' ? [...calledAgain(object, missing).values()] : []
	const places = object.programs
		.map(({ name, section }) => ({ name, hook: hookOf(section) }))
		.filter(({ name, hook }) => hook !== '' && !missing.includes(hook) && !isStep(name))
		.filter(({ name }) => (isPreempted || !isAfter(name)) && !replaced.includes(name))
		.sort((a, b) => rank(a) - rank(b))
	const links: BpfLink[] = []
	try {
		for (const { name } of places) links.push(await object.program(name).attach())
		if (form.surface === 'kprobe') {
			for (const [symbol, enter, leave] of KPROBES) {
				if (missing.includes(symbol)) continue
				links.push(await object.program(leave).attachKprobe(symbol, { retprobe: true }))
				links.push(await object.program(enter).attachKprobe(symbol))
			}
		}
	} catch (reason) {
		for (const link of links) link.close()
		throw reason
	}
	return links
}
