import { bootClock } from 'bpf-native-loader'
import type { ClockOffset } from '../model/batch.ts'

/**
 * The boot clock's now, and its distance to Unix time, measured again every minute (wall clocks are slewed) and as soon as
 * a step of the wall clock is noticed.
 */
export interface BootClock {
	now(): number
	/** The same object until the next measurement: compare by identity. */
	offset(): ClockOffset
	/** To be called about once a second. */
	refresh(nowNs: number): void
}

const REFRESH_NS = 60e9
/** Slewing moves a clock by half a millisecond a second at most: more is a step. */
const STEP_NS = 50e6
/** Readings per measurement. */
const TRIES = 5

export function createBootClock(): BootClock {
	let offset = measure()
	let measuredNs = bootClock().bootNs
	return {
		now: () => bootClock().bootNs,
		offset: () => offset,
		refresh(nowNs) {
			if (nowNs - measuredNs < REFRESH_NS && distanceNs(read(), offset) < STEP_NS) return
			offset = measure()
			measuredNs = nowNs
		},
	}
}

/** A preempted reading is late on one clock only, so the median of several is taken. */
function measure(): ClockOffset {
	const readings: ClockOffset[] = []
	for (let i = 0; i < TRIES; i++) readings.push(read())
	readings.sort((a, b) => a.seconds - b.seconds || a.nanos - b.nanos)
	return readings[TRIES >> 1] as ClockOffset
}

function read(): ClockOffset {
	const clock = bootClock()
	const bootSeconds = Math.floor(clock.bootNs / 1e9)
	const seconds = clock.realSeconds - bootSeconds
	const nanos = clock.realNanos - (clock.bootNs - bootSeconds * 1e9)
	return nanos < 0 ? { seconds: seconds - 1, nanos: nanos + 1e9 } : { seconds, nanos }
}

function distanceNs(a: ClockOffset, b: ClockOffset): number {
	return Math.abs((a.seconds - b.seconds) * 1e9 + a.nanos - b.nanos)
}
