import { readFileSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import type { FeatureKind } from 'bpf-native-loader'
import { VorError } from '../util/errors.ts'
import { findBtf, missingBtf } from './btf.ts'
import { checkMemoryLock } from './memory-lock.ts'
import { checkSurfaces, type Probe } from './preflight-surfaces.ts'
import { type SurfaceView, surfaceView } from './surface-view.ts'
import type { SurfaceName } from './surfaces.ts'

/** One thing that `vor check` looked at. */
export interface PreflightItem {
	readonly name: string
	/** fail: Vör cannot run. warn: it runs and sees less. info: worth knowing. */
	readonly status: 'ok' | 'info' | 'warn' | 'fail'
	readonly detail: string
	/** Command or setting that mends it, '' where there is nothing to mend. */
	readonly fix: string
}

export interface Preflight {
	/** Vör can run here. */
	readonly ok: boolean
	/** Attach surface that would be used, '' when none loads. */
	readonly surface: SurfaceName | ''
	readonly storage: string
	readonly view: readonly SurfaceView[]
	readonly items: readonly PreflightItem[]
}

/** Capabilities and what each is for; bit numbers of linux/capability.h. */
const CAPABILITIES = [
	{ name: 'CAP_BPF', bit: 39, why: 'load programs and maps' },
	{ name: 'CAP_PERFMON', bit: 38, why: 'attach tracing programs' },
	{ name: 'CAP_SYS_PTRACE', bit: 19, why: 'read /proc/<pid>/exe and environ of other users' },
	{ name: 'CAP_DAC_READ_SEARCH', bit: 2, why: 'look into the executables of other users' },
] as const
const CAP_SYS_ADMIN = 21
const CAP_SYS_RESOURCE = 24

/** Required hooks first; the others add precision. */
const HOOKS: readonly (readonly [name: string, required: boolean, gives: string])[] = [
	['sock_recv_length', true, 'bytes that programs read (kernel 6.3)'],
	['sock_send_length', true, 'bytes that programs write (kernel 6.3)'],
	['sched_process_exec', true, 'names of programs as they start'],
	['sched_process_fork', true, 'new processes'],
	['sched_process_exit', true, 'ends of processes'],
	['inet_sock_set_state', true, 'listening ports, ends of connections'],
	['tcp_sendmsg_locked', false, 'ids published before the bytes leave: exact joins in the kernel (6.16)'],
	['sk_data_ready', false, 'time a request waited in the socket (6.12)'],
]

/** Looks at everything that Vör needs. Never throws for what it finds; leaves nothing loaded. */
export async function preflight(): Promise<Preflight> {
	const items: PreflightItem[] = [
		checkKernel(),
		checkBtf(),
		checkPidNamespace(),
		...checkCapabilities(),
		checkLockdown(),
		checkMemoryLock(release(), text('/proc/self/limits'), hasCapability(CAP_SYS_RESOURCE)),
		checkCgroup2(),
	]
	let surface: SurfaceName | '' = ''
	let storage = ''
	let form = ''
	const addon = await loadAddon()
	if (typeof addon === 'string') {
		items.push({
			name: 'addon',
			status: 'fail',
			detail: `bpf-native-loader cannot be loaded: ${addon}`,
			fix: 'npm run build:native',
		})
	} else {
		const { probeFeature, listPrograms } = addon
		const probe: Probe = async (feature: FeatureKind) => {
			try {
				return await probeFeature(feature)
			} catch (reason) {
				return { supported: false, message: reason instanceof Error ? reason.message : String(reason) }
			}
		}
		const hooks = await checkHooks(probe)
		// Before our own programs are loaded: the kernel frees those only a moment after they are let go of.
		const tracers = checkOtherTracers(() => listPrograms())
		const object = await checkObject()
		surface = object.surface
		storage = object.storage
		form = object.form
		items.push(...withoutUnusedHooks(hooks, surface), object.item)
		items.push(...(await checkSurfaces(probe, surface, object.notices)))
		items.push(tracers)
	}
	return {
		ok: items.every((item) => item.status !== 'fail'),
		surface,
		storage,
		view: surfaceView(surface, form),
		items,
	}
}

/** Hooks that another surface than A has by other means: no fault where that has just been loaded. */
const INSTEAD: readonly (readonly [hook: string, surfaces: readonly string[]])[] = [
	['hook sock_recv_length', ['fexit', 'syscall', 'kprobe']],
	['hook sock_send_length', ['fexit', 'syscall', 'kprobe']],
	// These two hook the entry of tcp_sendmsg itself.
	['hook tcp_sendmsg_locked', ['fexit', 'kprobe']],
]

export function withoutUnusedHooks(items: readonly PreflightItem[], surface: string): PreflightItem[] {
	return items.map((item) => {
		const isReplaced = INSTEAD.some(([hook, surfaces]) => hook === item.name && surfaces.includes(surface))
		if (!isReplaced || item.status === 'ok') return item
		return { ...item, status: 'info', detail: `${item.detail}; ${surface} does without`, fix: '' }
	})
}

function ok(name: string, detail: string): PreflightItem {
	return { name, status: 'ok', detail, fix: '' }
}

function checkKernel(): PreflightItem {
	const version = release()
	const [major = 0, minor = 0] = version.split('.').map(Number)
	if (major > 6 || (major === 6 && minor >= 3)) return ok('kernel', version)
	return {
		name: 'kernel',
		status: 'warn',
		detail: `${version}: surface A's socket tracepoints came with 6.3 (some distributions have them in older kernels); the other surfaces see less or cost more`,
		fix: 'a kernel of 6.3 or newer',
	}
}

function checkBtf(): PreflightItem {
	const path = findBtf()
	if (path !== undefined) return ok('btf', path)
	const { message, fix } = missingBtf()
	return { name: 'btf', status: 'fail', detail: message, fix }
}

/** PROC_PID_INIT_INO: the initial pid namespace has this inode number on every kernel. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]'

/** Refuses outside of the host's pid namespace: the kernel's pids would name other processes than /proc does. */
export function checkPidNamespace(): PreflightItem {
	const namespace = link('/proc/self/ns/pid')
	if (namespace === INITIAL_PID_NAMESPACE) return ok('pid namespace', "the host's")
	return {
		name: 'pid namespace',
		status: 'fail',
		detail: `${namespace === '' ? 'unknown' : namespace} is not the host's: the kernel's process ids mean others here`,
		fix: 'hostPID: true (Kubernetes), --pid=host (Docker), or run it on the host',
	}
}

function hasCapability(bit: number): boolean {
	const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(text('/proc/self/status'))?.[1] ?? '0'
	// 64 bits: the upper half holds what is above bit 31.
	const half = Number.parseInt((bit < 32 ? effective.slice(-8) : effective.slice(0, -8)) || '0', 16)
	return ((half >>> (bit % 32)) & 1) === 1
}

function checkCapabilities(): PreflightItem[] {
	const admin = hasCapability(CAP_SYS_ADMIN)
	const missing = CAPABILITIES.filter(
		({ bit }) => !hasCapability(bit) && !(admin && (bit === 38 || bit === 39)),
	)
	if (missing.length === 0) return [ok('capabilities', CAPABILITIES.map(({ name }) => name).join(' '))]
	return missing.map(({ name, why }) => ({
		name: 'capabilities',
		status: name === 'CAP_BPF' || name === 'CAP_PERFMON' ? 'fail' : 'warn',
		detail: `${name} is missing (${why})`,
		fix: `run as root, or give it ${name} (systemd: AmbientCapabilities=${name}; Kubernetes: securityContext.capabilities.add)`,
	}))
}

function checkLockdown(): PreflightItem {
	const modes = text('/sys/kernel/security/lockdown')
	const mode = /\[(\w+)\]/.exec(modes)?.[1] ?? 'none'
	if (mode !== 'confidentiality') return ok('lockdown', mode)
	return {
		name: 'lockdown',
		status: 'fail',
		detail: 'confidentiality: the kernel lets no BPF program read kernel memory',
		fix: 'boot with lockdown=integrity, or without Secure Boot',
	}
}

function checkCgroup2(): PreflightItem {
	const mount = text('/proc/self/mounts')
		.split('\n')
		.map((line) => line.split(' '))
		.find((fields) => fields[2] === 'cgroup2')
	if (mount !== undefined) return ok('cgroup2', mount[1] ?? '')
	return {
		name: 'cgroup2',
		status: 'info',
		detail: 'not mounted; nothing needs it yet',
		fix: 'mount -t cgroup2 none /sys/fs/cgroup',
	}
}

async function checkHooks(probe: Probe): Promise<PreflightItem[]> {
	const found = await Promise.all(HOOKS.map(([name]) => probe({ kind: 'tp_btf', name })))
	return HOOKS.map(([name, required, gives], i): PreflightItem => {
		const result = found[i]
		if (result?.supported === true) return ok(`hook ${name}`, gives)
		return {
			name: `hook ${name}`,
			status: required ? 'fail' : 'warn',
			detail: `not there (${result?.message ?? ''}): ${gives}`,
			fix: required ? 'a kernel of 6.3 or newer with BTF, and the capabilities above' : 'a newer kernel',
		}
	})
}

/** The one proof: the real object, loaded and let go of. */
async function checkObject(): Promise<{
	item: PreflightItem
	surface: SurfaceName | ''
	storage: string
	form: string
	notices: readonly string[]
}> {
	const notices: string[] = []
	try {
		const { loadKernelObject } = await import('./kernel-object.ts')
		const kernel = await loadKernelObject({
			ringBytes: 64 * 1024,
			notice: (_, message) => notices.push(message.replace(/; trying the next$/, '')),
		})
		const programs = kernel.object.programs.filter((program) => kernel.isLoaded(program)).length
		kernel.object.close()
		return {
			item: ok('programs', `${programs} load and verify`),
			surface: kernel.surface,
			storage: kernel.storage,
			form: kernel.form,
			notices,
		}
	} catch (reason) {
		const error = VorError.from(reason, 'E_BPF_LOAD')
		const isForced = error.code !== 'E_PRIVILEGE' && !['', 'auto'].includes(process.env['VOR_SURFACE'] ?? '')
		const fix = isForced ? 'unset VOR_SURFACE, which allows this attach surface only' : error.fix
		const item: PreflightItem = { name: 'programs', status: 'fail', detail: error.message, fix }
		return { item, surface: '', storage: '', form: '', notices }
	}
}

function checkOtherTracers(list: () => readonly { name: string; type: string }[]): PreflightItem {
	try {
		// Kinds that hook the kernel's functions and tracepoints; cgroup and network programs do not meet ours.
		const tracing = list().filter(({ type }) => /kprobe|tracing|tracepoint|perf_event/.test(type))
		if (tracing.length === 0) return ok('other tracers', 'none loaded')
		const others = tracing.filter(({ name }) => !name.startsWith('vor_'))
		const names = [...new Set(others.map(({ name }) => name))]
		const shown = names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '')
		const parts: string[] = []
		if (others.length < tracing.length) parts.push(`${tracing.length - others.length} of another Vör`)
		if (others.length > 0) parts.push(`${others.length} of others (${shown})`)
		return {
			name: 'other tracers',
			status: 'info',
			detail: `tracing programs are loaded already, ${parts.join(', ')}: they work side by side, each costs its own time`,
			fix: '',
		}
	} catch (reason) {
		return { name: 'other tracers', status: 'info', detail: `cannot be listed: ${String(reason)}`, fix: '' }
	}
}

/** Or why not: said as an item of its own. */
async function loadAddon(): Promise<typeof import('./addon.ts') | string> {
	try {
		return await import('./addon.ts')
	} catch (reason) {
		return reason instanceof Error ? (reason.message.split('\n')[0] ?? '') : String(reason)
	}
}

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
