import { readdir, readFile, readlink } from 'node:fs/promises'
import { containerIdOf } from './scan.ts'

export interface DiscoverOptions {
	readonly exe: boolean
	readonly cwd: boolean
	readonly commandline: boolean
	readonly uid: boolean
	readonly username: boolean
	readonly cgroupPath: boolean
	readonly containerId: boolean
}

export type Target = Readonly<Record<string, string>>

/** Processes looked at side by side: each look is a handful of small reads on libuv's pool. */
const atOnce = 16

/** Every user-space process as a target, with the labels of Alloy's `discovery.process`. Never blocks the caller's thread. */
export async function discoverProcesses(
	options: DiscoverOptions,
	userName: (uid: number) => string,
	proc = '/proc',
): Promise<Target[]> {
	const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name))
	const targets: Target[] = []
	for (let i = 0; i < pids.length; i += atOnce) {
		const found = await Promise.all(
			pids.slice(i, i + atOnce).map((pid) => look(proc, pid, options, userName)),
		)
		for (const target of found) if (target !== undefined) targets.push(target)
	}
	return targets
}

/** undefined: gone meanwhile, a kernel thread, or not ours to read. */
async function look(
	proc: string,
	pid: string,
	options: DiscoverOptions,
	userName: (uid: number) => string,
): Promise<Target | undefined> {
	const folder = `${proc}/${pid}`
	try {
		const exe = await readlink(`${folder}/exe`)
		const labels: Record<string, string> = { __process_pid__: pid }
		if (options.exe) labels['__meta_process_exe'] = exe
		if (options.cwd) labels['__meta_process_cwd'] = await readlink(`${folder}/cwd`)
		if (options.commandline) {
			const text = await readFile(`${folder}/cmdline`, 'utf8')
			labels['__meta_process_commandline'] = text.split('\0').join(' ').trim()
		}
		if (options.uid || options.username) {
			const uid = Number(/^Uid:\t(\d+)/m.exec(await readFile(`${folder}/status`, 'utf8'))?.[1])
			if (options.uid) labels['__meta_process_uid'] = String(uid)
			if (options.username) labels['__meta_process_username'] = userName(uid)
		}
		if (options.cgroupPath || options.containerId) {
			const text = await readFile(`${folder}/cgroup`, 'utf8')
			if (options.cgroupPath) labels['__meta_cgroup_path'] = text.trim().split('\n').join('|')
			const id = options.containerId ? containerIdOf(text) : ''
			if (id !== '') labels['__container_id__'] = id
		}
		return labels
	} catch {
		// Processes end while they are looked at; that is no event.
		return undefined
	}
}

/**
 * Alloy's join: a discovered process takes the labels of the given target with the same `__container_id__`, else of the
 * one with the same `__process_pid__`. Given targets that match none are kept as they are.
 */
export function joinTargets(given: readonly Target[], found: readonly Target[]): Target[] {
	const byContainer = new Map<string, Target>()
	const byPid = new Map<string, Target>()
	for (const target of given) {
		const container = target['__container_id__'] ?? ''
		const pid = target['__process_pid__'] ?? target['__meta_process_pid'] ?? ''
		if (container !== '') byContainer.set(container, target)
		else if (pid !== '') byPid.set(pid, target)
	}
	const used = new Set<Target>()
	const out: Target[] = found.map((target) => {
		const match =
			byContainer.get(target['__container_id__'] ?? '') ?? byPid.get(target['__process_pid__'] ?? '')
		if (match === undefined) return target
		used.add(match)
		return { ...match, ...target }
	})
	for (const target of given) if (!used.has(target)) out.push(target)
	return out
}
