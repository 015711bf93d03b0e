import { bootClock } from 'bpf-native-loader'
import type { ClockOffset } from '../model/batch.ts'

/** The boot clock's now, and its distance to Unix time, measured again every minute (wall clocks are stepped and slewed). */
export interface BootClock {
	now(): number
	/** The same object until the next measurement: compare by identity. */
	offset(): ClockOffset
	/** Measures again when the last measurement is a minute old. */
	refresh(nowNs: number): void
}

const REFRESH_NS = 60e9
/** Best of this many: the one whose two readings lay closest together has the least error. */
const TRIES = 5

export function createBootClock(): BootClock {
	let offset = measure()
	let measuredNs = bootClock().bootNs
	return {
		now: () => bootClock().bootNs,
		offset: () => offset,
		refresh(nowNs) {
			if (nowNs - measuredNs < REFRESH_NS) return
			offset = measure()
			measuredNs = nowNs
		},
	}
}

/** A preempted reading is late on one clock only, so the median of several is taken. */
function measure(): ClockOffset {
	const readings: ClockOffset[] = []
	for (let i = 0; i < TRIES; i++) {
		const clock = bootClock()
		const bootSeconds = Math.floor(clock.bootNs / 1e9)
		let seconds = clock.realSeconds - bootSeconds
		let nanos = clock.realNanos - (clock.bootNs - bootSeconds * 1e9)
		if (nanos < 0) {
			nanos += 1e9
			seconds--
		}
		readings.push({ seconds, nanos })
	}
	readings.sort((a, b) => a.seconds - b.seconds || a.nanos - b.nanos)
	return readings[TRIES >> 1] as ClockOffset
}
