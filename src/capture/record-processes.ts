import type { ProcessTracker } from '../model/process-event.ts'
import { HEADER, httpRecord, processKey, RECORD_KIND } from './layout.ts'
import type { CaptureStatistics } from './statistics.ts'

/** Every kind of record has the process key, at one place. A shorter one is not as the contract says. */
const SMALLEST = httpRecord.process + processKey.size

/**
 * Makes sure that every process with a record in the first `length` bytes is known. Returns how many of the records are
 * exchanges. Nothing is read past a record that is not as the contract says.
 */
export function meetProcesses(
	view: DataView,
	length: number,
	processes: Pick<ProcessTracker, 'see'>,
	statistics: Pick<CaptureStatistics, 'malformed'>,
): number {
	let exchanges = 0
	let lastPid = -1
	let lastStartLow = -1
	let lastStartHigh = -1
	let at = 0
	while (at + HEADER.bytes <= length) {
		const size = view.getUint16(at + HEADER.sizeAt, true)
		if (size < SMALLEST || at + size > length) {
			statistics.malformed++
			break
		}
		if (view.getUint16(at + HEADER.kindAt, true) === RECORD_KIND.HTTP1) exchanges++
		const key = at + httpRecord.process
		const pid = view.getUint32(key + processKey.tgid, true)
		const low = view.getUint32(key + processKey.start_ns, true)
		const high = view.getUint32(key + processKey.start_ns + 4, true)
		if (pid !== lastPid || low !== lastStartLow || high !== lastStartHigh) {
			lastPid = pid
			lastStartLow = low
			lastStartHigh = high
			processes.see(pid, low + high * 4294967296)
		}
		at += size
	}
	return exchanges
}
