import type { RingReader } from 'bpf-native-loader'
import type { ProcessEvent, ProcessTracker } from '../model/process-event.ts'
import { createProcessRecordReader } from './process-records.ts'
import type { CaptureStatistics } from './statistics.ts'

/** The ring of process events, apart from that of the records, so that no flood of exchanges hides who is running. */
export interface ProcessRing {
	/** Tells the tracker of every event that waits. Returns the bytes drained. */
	drain(): number
	/** As of the last drain. */
	readonly more: boolean
	onWakeup(callback: () => void): void
}

const BUFFER_BYTES = 128 * 1024

export function createProcessRing(
	ring: RingReader,
	processes: Pick<ProcessTracker, 'apply'>,
	statistics: Pick<CaptureStatistics, 'malformed'>,
): ProcessRing {
	const bytes = new Uint8Array(BUFFER_BYTES)
	const records = createProcessRecordReader(bytes)
	const apply = (event: ProcessEvent): void => processes.apply(event)
	return {
		drain() {
			let drained = 0
			do {
				const length = ring.drain(bytes)
				drained += length
				statistics.malformed += records.read(length, apply)
			} while (ring.more)
			return drained
		},
		get more() {
			return ring.more
		},
		onWakeup: (callback) => ring.onWakeup(callback),
	}
}
