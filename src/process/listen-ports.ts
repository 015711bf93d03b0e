import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Socket inode → port of every TCP listener in the network namespace of a process. */
export type Listeners = ReadonlyMap<number, number>

const LISTEN_STATE = '0A'

/** Reads the listeners that this process's network namespace has. */
export function readListeners(proc: string, pid: number): Listeners {
	const listeners = new Map<number, number>()
	for (const file of ['tcp', 'tcp6']) {
		let text: string
		try {
			text = readFileSync(`${proc}/${pid}/net/${file}`, 'latin1')
		} catch {
			// Gone, or a kernel without IPv6: no listeners of that kind.
			continue
		}
		parseListeners(text, listeners)
	}
	return listeners
}

export function parseListeners(text: string, into: Map<number, number>): void {
	for (const line of text.split('\n')) {
		const fields = line.trim().split(/\s+/)
		if (fields[3] !== LISTEN_STATE) continue
		const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)
		const inode = Number(fields[9])
		if (Number.isInteger(port) && inode > 0) into.set(inode, port)
	}
}

/** The ports among `listeners` that the process holds open, ascending. */
export function portsOf(proc: string, pid: number, listeners: Listeners): number[] {
	if (listeners.size === 0) return []
	const ports = new Set<number>()
	let names: string[]
	try {
		names = readdirSync(`${proc}/${pid}/fd`)
	} catch {
		return []
	}
	for (const name of names) {
		let target: string
		try {
			target = readlinkSync(`${proc}/${pid}/fd/${name}`)
		} catch {
			// Closed meanwhile.
			continue
		}
		if (!target.startsWith('socket:[')) continue
		const port = listeners.get(Number(target.slice(8, -1)))
		if (port !== undefined) ports.add(port)
	}
	return [...ports].sort((a, b) => a - b)
}
