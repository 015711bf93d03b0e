import { Observable } from 'rxjs'
import type { RawBatch } from '../model/batch.ts'
import { LAYOUT_HASH } from './layout.ts'
import type { RecordingHeader } from './recording-format.ts'
import { openRecording, type RecordingReader } from './recording-reader.ts'

/**
 * The batches of a recording, in order, as fast as they are taken, one a turn of the event loop. Every subscription reads
 * the file anew. Time is the recording's. Errors with E_RECORDING where the file is damaged; a file that was cut off
 * completes after its last whole batch, and `ended` is told which it was.
 */
export function createReplay(
	path: string,
	ended: (how: { ending: 'whole' | 'cut'; lostBatches: number }) => void = () => {},
): Observable<RawBatch> {
	return new Observable((subscriber) => {
		let reader: RecordingReader
		try {
			reader = openRecording(path, LAYOUT_HASH)
		} catch (reason) {
			subscriber.error(reason)
			return undefined
		}
		let immediate: NodeJS.Immediate | undefined
		const turn = (): void => {
			try {
				const batch = reader.next()
				if (batch === undefined) {
					ended({ ending: reader.ending === 'whole' ? 'whole' : 'cut', lostBatches: reader.lostBatches })
					subscriber.complete()
					return
				}
				subscriber.next(batch)
				if (!subscriber.closed) immediate = setImmediate(turn)
			} catch (reason) {
				subscriber.error(reason)
			}
		}
		immediate = setImmediate(turn)
		return () => {
			clearImmediate(immediate)
			reader.close()
		}
	})
}

/** What the recording says of itself. Throws E_FILE or E_RECORDING. */
export function readRecordingHeader(path: string): RecordingHeader {
	const reader = openRecording(path, LAYOUT_HASH)
	reader.close()
	return reader.header
}
