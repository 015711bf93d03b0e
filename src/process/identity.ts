/** /proc tells start times in ticks of 10 ms. */
const TICK_NS = 1e7

/** A process is (pid, start time): pids are used again, pairs are not. */
export function identity(pid: number, startNs: number): string {
	return `${pid}/${startNs}`
}

/** An exact start time as /proc tells it. */
export function toTick(startNs: number): number {
	return Math.floor(startNs / TICK_NS) * TICK_NS
}

/** The identity of a process of which it may not be known whether its start time is exact. */
export function tickIdentity(pid: number, startNs: number): string {
	return identity(pid, toTick(startNs))
}
