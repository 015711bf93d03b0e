import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import type { FeatureKind } from 'bpf-native-loader'
import { VorError } from '../util/errors.ts'
import { SURFACES } from './surfaces.ts'

/** One thing that `vor check` looked at. */
export interface PreflightItem {
	readonly name: string
	/** fail: Vör cannot run. warn: it runs and sees less. info: worth knowing. */
	readonly status: 'ok' | 'info' | 'warn' | 'fail'
	readonly detail: string
	/** Command or setting that mends it, '' where there is nothing to mend. */
	readonly fix: string
}

export interface SurfaceView {
	readonly path: string
	readonly seen: 'seen' | 'bytes only' | 'not seen'
	readonly note: string
}

export interface Preflight {
	/** Vör can run here. */
	readonly ok: boolean
	/** Attach surface that would be used, '' when none loads. */
	readonly surface: string
	readonly storage: string
	readonly view: readonly SurfaceView[]
	readonly items: readonly PreflightItem[]
}

/** What surface A shows of each way that bytes take. Held against the real kernel by test/kernel. */
export const SURFACE_VIEW: readonly SurfaceView[] = [
	{ path: 'read, write, recv, send and their vectors', seen: 'seen', note: '' },
	{ path: 'recvmsg, sendmsg, recvmmsg, sendmmsg', seen: 'seen', note: '' },
	{ path: 'unix stream sockets', seen: 'seen', note: '' },
	{
		path: 'sendfile, splice into a socket',
		seen: 'bytes only',
		note: 'bodies are counted; a head sent so is not read',
	},
	{ path: 'splice out of a socket', seen: 'not seen', note: 'proxies that splice (HAProxy with splice)' },
	{ path: 'io_uring', seen: 'bytes only', note: 'bodies are counted; a head sent so is not read' },
	{ path: 'kernel TLS', seen: 'seen', note: 'plain text at this level' },
	{ path: 'TLS in user space', seen: 'not seen', note: 'recognised and counted as unreadable' },
	{ path: 'HTTP/2', seen: 'not seen', note: 'recognised and counted as unreadable' },
]

/** What holds on the other surfaces as well; the rest differs from kernel to kernel (docs/kernels.md). */
const EVERYWHERE = new Set([
	'read, write, recv, send and their vectors',
	'recvmsg, sendmsg, recvmmsg, sendmmsg',
	'unix stream sockets',
	'TLS in user space',
	'HTTP/2',
])

/** What the surface that is used shows. */
export function surfaceView(surface: string): readonly SurfaceView[] {
	if (surface === '' || surface === 'tp_btf') return surface === '' ? [] : SURFACE_VIEW
	return SURFACE_VIEW.filter(({ path }) => EVERYWHERE.has(path)).concat(
		surface === 'syscall'
			? { path: 'io_uring', seen: 'not seen', note: 'it makes no system call for each request' }
			: [],
		{
			path: 'sendfile, splice, kernel TLS',
			seen: 'bytes only',
			note: 'at most; docs/kernels.md has what was measured',
		},
	)
}

/** Capabilities and what each is for; bit numbers of linux/capability.h. */
const CAPABILITIES = [
	{ name: 'CAP_BPF', bit: 39, why: 'load programs and maps' },
	{ name: 'CAP_PERFMON', bit: 38, why: 'attach tracing programs' },
	{ name: 'CAP_SYS_PTRACE', bit: 19, why: 'read /proc/<pid>/exe and environ of other users' },
	{ name: 'CAP_DAC_READ_SEARCH', bit: 2, why: 'look into the executables of other users' },
] as const
const CAP_SYS_ADMIN = 21

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
		checkMemoryLock(),
		checkCgroup2(),
	]
	let surface = ''
	let storage = ''
	const addon = await loadAddon()
	if (addon === undefined) {
		items.push({
			name: 'addon',
			status: 'fail',
			detail: 'bpf-native-loader is not built',
			fix: 'npm run build:native',
		})
	} else {
		const { probeFeature, listPrograms } = addon
		const probe = async (feature: FeatureKind): Promise<{ supported: boolean; message: string }> => {
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
		items.push(...withoutUnusedHooks(hooks, surface), object.item)
		items.push(tracers)
		items.push(await checkOtherSurfaces(probe, surface))
	}
	return {
		ok: items.every((item) => item.status !== 'fail'),
		surface,
		storage,
		view: surfaceView(surface),
		items,
	}
}

/** A hook that only surface A needs is no fault where another surface has just been loaded. */
export function withoutUnusedHooks(items: readonly PreflightItem[], surface: string): PreflightItem[] {
	if (surface === '' || surface === 'tp_btf') return [...items]
	return items.map((item) =>
		item.name === 'hook sock_recv_length' || item.name === 'hook sock_send_length'
			? {
					...item,
					status: item.status === 'fail' ? 'info' : item.status,
					detail: `${item.detail}; ${surface} is used instead`,
				}
			: item,
	)
}

type Probe = (feature: FeatureKind) => Promise<{ supported: boolean; message: string }>

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
		detail: `${version}: the socket tracepoints came with 6.3 (some distributions have them in older kernels); other surfaces see less`,
		fix: 'a kernel of 6.3 or newer',
	}
}

function checkBtf(): PreflightItem {
	const path = '/sys/kernel/btf/vmlinux'
	if (existsSync(path)) return ok('btf', path)
	return {
		name: 'btf',
		status: 'fail',
		detail: `${path} is missing: the kernel does not describe its types`,
		fix: 'a kernel built with CONFIG_DEBUG_INFO_BTF=y, and sysfs mounted at /sys',
	}
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

function checkCapabilities(): PreflightItem[] {
	const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(text('/proc/self/status'))?.[1] ?? '0'
	// 64 bits: the upper half holds what is above bit 31.
	const high = Number.parseInt(effective.slice(0, -8) || '0', 16)
	const low = Number.parseInt(effective.slice(-8), 16)
	const has = (bit: number): boolean => ((bit < 32 ? low >>> bit : high >>> (bit - 32)) & 1) === 1
	const admin = has(CAP_SYS_ADMIN)
	const missing = CAPABILITIES.filter(({ bit }) => !has(bit) && !(admin && (bit === 38 || bit === 39)))
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

/** Before 5.11 BPF memory counts against RLIMIT_MEMLOCK. */
function checkMemoryLock(): PreflightItem {
	const [major = 0, minor = 0] = release().split('.').map(Number)
	if (major > 5 || (major === 5 && minor >= 11))
		return ok('memory lock', 'BPF memory is charged to the cgroup')
	const limit = /^Max locked memory\s+(\S+)/m.exec(text('/proc/self/limits'))?.[1] ?? 'unlimited'
	if (limit === 'unlimited' || Number(limit) >= 64 << 20) return ok('memory lock', limit)
	return {
		name: 'memory lock',
		status: 'fail',
		detail: `${limit} bytes, this kernel charges BPF maps to it`,
		fix: 'ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)',
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
async function checkObject(): Promise<{ item: PreflightItem; surface: string; storage: string }> {
	try {
		const { loadKernelObject } = await import('./kernel-object.ts')
		const kernel = await loadKernelObject({ ringBytes: 64 * 1024 })
		const programs = kernel.object.programs.length - kernel.missingHooks.length
		kernel.object.close()
		return {
			item: ok('programs', `${programs} load and verify`),
			surface: kernel.surface,
			storage: kernel.storage,
		}
	} catch (reason) {
		const error = VorError.from(reason, 'E_BPF_LOAD')
		const item: PreflightItem = { name: 'programs', status: 'fail', detail: error.message, fix: error.fix }
		return { item, surface: '', storage: '' }
	}
}

function checkOtherTracers(list: () => readonly { name: string; type: string }[]): PreflightItem {
	try {
		// Kinds that hook the kernel's functions and tracepoints; cgroup and network programs do not meet ours.
		const tracing = list().filter(({ type }) => /kprobe|tracing|tracepoint|perf_event/.test(type))
		if (tracing.length === 0) return ok('other tracers', 'none loaded')
		const names = [...new Set(tracing.map(({ name }) => name))]
		const shown = names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '')
		return {
			name: 'other tracers',
			status: 'info',
			detail: `${tracing.length} tracing programs of others are loaded (${shown}): they work side by side, each costs its own time`,
			fix: '',
		}
	} catch (reason) {
		return { name: 'other tracers', status: 'info', detail: `cannot be listed: ${String(reason)}`, fix: '' }
	}
}

async function checkOtherSurfaces(probe: Probe, used: string): Promise<PreflightItem> {
	const found = await Promise.all([
		probe({ kind: 'tp_btf', name: 'sock_recv_length' }),
		probe({ kind: 'fentry', name: 'tcp_sendmsg' }),
		probe({ kind: 'kprobe', name: 'tcp_sendmsg' }),
		probe({ kind: 'tp_btf', name: 'sys_exit' }),
	])
	const words = SURFACES.map((name, i) =>
		name === used ? `${name} used` : `${name} ${found[i]?.supported === true ? 'has its hooks' : 'has none'}`,
	)
	return { name: 'surfaces', status: 'info', detail: words.join(', '), fix: '' }
}

async function loadAddon(): Promise<typeof import('bpf-native-loader') | undefined> {
	try {
		return await import('bpf-native-loader')
	} catch {
		// Not built: said as an item of its own.
		return undefined
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
