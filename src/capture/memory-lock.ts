import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import type { PreflightItem } from './preflight.ts'

/** BPF memory of the largest form: most of it the ring and the state of connections in the hash. */
const NEEDED_BYTES = 64 << 20
const LIMITS = '/proc/self/limits'

/** Before 5.11 BPF memory counts against RLIMIT_MEMLOCK. */
function isCharged(version: string): boolean {
	const [major = 0, minor = 0] = version.split('.').map(Number)
	return major < 5 || (major === 5 && minor < 11)
}

function limitsOf(text: string): readonly [soft: string, hard: string] {
	const [, soft = 'unlimited', hard = 'unlimited'] = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(text) ?? []
	return [soft, hard]
}

const isEnough = (limit: string): boolean => limit === 'unlimited' || Number(limit) >= NEEDED_BYTES

/**
 * What `vor check` says of it. `limits` is the text of /proc/self/limits. libbpf raises the limit of its process at the first
 * map; it may where the hard limit or CAP_SYS_RESOURCE (`mayRaise`) allows.
 */
export function checkMemoryLock(version: string, limits: string, mayRaise: boolean): PreflightItem {
	const ok = (detail: string): PreflightItem => ({ name: 'memory lock', status: 'ok', detail, fix: '' })
	if (!isCharged(version)) return ok('BPF memory is charged to the cgroup')
	const [soft, hard] = limitsOf(limits)
	if (isEnough(soft)) return ok(soft)
	if (mayRaise || hard === 'unlimited')
		return ok(`${soft} bytes, and this kernel charges BPF maps to it: Vör raises its own limit`)
	return {
		name: 'memory lock',
		status: 'fail',
		detail: `${soft} bytes, this kernel charges BPF maps to it, and Vör may not raise it`,
		fix: 'ulimit -l unlimited (systemd: LimitMEMLOCK=infinity), or CAP_SYS_RESOURCE',
	}
}

/** Runs `load` and gives what a person should know of the limit that it raised, '' where there is nothing to say. */
export async function raisingMemoryLock<T>(load: () => Promise<T>): Promise<[T, notice: string]> {
	if (!isCharged(release())) return [await load(), '']
	const [before] = limitsOf(text())
	const loaded = await load()
	const [after] = limitsOf(text())
	const notice = `this kernel charges BPF memory to the limit of locked memory: raised from ${before} to ${after} for this process`
	return [loaded, before === after ? '' : notice]
}

function text(): string {
	try {
		return readFileSync(LIMITS, 'utf8')
	} catch {
		// Without /proc there is nothing to tell.
		return ''
	}
}
