import type { FeatureKind } from 'bpf-native-loader'
import { ownKretprobeRoom, waitingReceives } from './kretprobe-room.ts'
import type { PreflightItem } from './preflight.ts'
import { FORMS, SURFACE_LETTERS, SURFACES, type SurfaceName } from './surfaces.ts'

export interface ProbeResult {
	readonly supported: boolean
	readonly message: string
}
export type Probe = (feature: FeatureKind) => Promise<ProbeResult>

/** A hook without which the surface shows nothing: a cheap question, without the programs. */
const FIRST_HOOK: Readonly<Record<SurfaceName, FeatureKind>> = {
	tp_btf: { kind: 'tp_btf', name: 'sock_recv_length' },
	fexit: { kind: 'fentry', name: 'tcp_sendmsg' },
	kprobe: { kind: 'kprobe', name: 'tcp_sendmsg' },
	syscall: { kind: 'tp_btf', name: 'sys_exit' },
}

const HOOKS: Readonly<Record<SurfaceName, string>> = {
	tp_btf: 'tracepoints of socket operations',
	fexit: 'returns of kernel functions, by trampolines',
	kprobe: 'returns of kernel functions, by kretprobes',
	syscall: 'ends of system calls',
}

export const surfaceTitle = (name: SurfaceName): string => `surface ${SURFACE_LETTERS[name]} ${name}`

/** One item a surface in the order in which they are tried, and what the one in use cannot do on this machine. */
export async function checkSurfaces(
	probe: Probe,
	used: SurfaceName | '',
	/** What was said of each form that did not load before it, as `loadKernelObject` gives notice. */
	notices: readonly string[],
	forced = process.env['VOR_SURFACE'] ?? '',
): Promise<PreflightItem[]> {
	const found = await Promise.all(SURFACES.map((name) => probe(FIRST_HOOK[name])))
	const results = new Map(SURFACES.map((name, i) => [name, found[i] as ProbeResult]))
	const items = SURFACES.map((name) => surfaceItem(name, results, used, notices, forced))
	if (used === 'kprobe') items.push(checkKretprobes(results.get('syscall')?.supported === true))
	return items
}

function surfaceItem(
	surface: SurfaceName,
	results: ReadonlyMap<SurfaceName, ProbeResult>,
	used: SurfaceName | '',
	notices: readonly string[],
	forced: string,
): PreflightItem {
	const { supported, message } = results.get(surface) as ProbeResult
	const say = (status: PreflightItem['status'], detail: string): PreflightItem => ({
		name: surfaceTitle(surface),
		status,
		detail: `${HOOKS[surface]}: ${detail}`,
		fix: '',
	})
	const order = SURFACES.map((name) => SURFACE_LETTERS[name]).join(', ')
	if (surface === used)
		return say(
			'ok',
			forced === surface
				? `used, since VOR_SURFACE=${forced} asks for it`
				: `used, the first of ${order} that this kernel takes`,
		)
	if (!supported) return say('info', `the kernel refuses it (${message})`)
	// Where none loads, the item of the programs says why.
	if (used === '') return say('info', 'has its hooks')
	const isBefore = SURFACES.indexOf(surface) < SURFACES.indexOf(used)
	if (!isBefore || forced === used) return say('info', 'could be used')
	const objects = FORMS.filter((form) => form.surface === surface).map(({ object }) => object)
	const why = notices.find((notice) => objects.some((object) => notice.startsWith(`${object}: `)))
	return say('warn', `has its hooks, and its programs do not load${why === undefined ? '' : ` (${why})`}`)
}

/** Surface C alone has a limit to what it follows at once. */
export function checkKretprobes(canUseSyscall: boolean, room = ownKretprobeRoom()): PreflightItem {
	return {
		name: 'waiting receives',
		status: 'warn',
		detail: waitingReceives(room),
		fix: canUseSyscall
			? 'surface D has no such limit: leave surface and VOR_SURFACE at auto'
			: 'a kernel that takes surface A, B or D',
	}
}
