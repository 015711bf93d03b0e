import { readFileSync } from 'node:fs'
import { release, version } from 'node:os'

/**
 * How many calls of one kernel function a kretprobe follows at once. perf_event_open leaves the number to the kernel
 * (kernel/kprobes.c, register_kretprobe): twice the CPUs that the machine may have, ten at least; before 6.2 and without
 * preemption as many as CPUs. A thread that waits in a receive holds one for as long as it waits. `flags` is uname's version.
 */
export function kretprobeRoom(kernel: string, flags: string, possibleCpus: number): number {
	const [major = 0, minor = 0] = kernel.split('.').map(Number)
	const isPreemptible = /\bPREEMPT/.test(flags)
	const isSmall = !isPreemptible && (major < 6 || (major === 6 && minor < 2))
	return isSmall ? possibleCpus : Math.max(10, 2 * possibleCpus)
}

/** On this machine; undefined where the kernel does not tell its CPUs. */
export function ownKretprobeRoom(): number | undefined {
	let possible: number
	try {
		possible = countCpus(readFileSync('/sys/devices/system/cpu/possible', 'utf8'))
	} catch {
		return undefined
	}
	return possible > 0 ? kretprobeRoom(release(), version(), possible) : undefined
}

/** What that means, in a sentence. */
export function waitingReceives(room = ownKretprobeRoom()): string {
	const many = room === undefined ? 'only some' : `only ${room}`
	return `${many} receives can wait at once on this host (kretprobes of each function: TCP, MPTCP, unix, …). While more threads than that are blocked in one, further requests are not seen: missing or dropped as state_lost, never told wrong. Servers with a thread a connection (Java, Python) reach that with idle connections`
}

/** Of a list of the kernel's: `0-3,8`. */
export function countCpus(list: string): number {
	let count = 0
	for (const part of list.trim().split(',')) {
		const match = /^(\d+)(?:-(\d+))?$/.exec(part)
		if (match === null) return 0
		count += Number(match[2] ?? match[1]) - Number(match[1]) + 1
	}
	return count
}
