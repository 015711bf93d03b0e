import { createWriteStream, fchmodSync, openSync, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { create } from '@bufbuild/protobuf'
import { EndSchema, HeaderSchema } from '../gen/vor/recording/v1/recording_pb.ts'
import type { RawBatch } from '../model/batch.ts'
import { VorError } from '../util/errors.ts'
import { encodeBatch, encodeFrame, FORMAT_VERSION, MAGIC, type RecordingHeader } from './recording-format.ts'

/** Writes batches as they come; a disk that does not follow costs batches (counted), never memory. */
export interface RecordingWriter {
	/** Copies the batch. False: dropped, because the disk is too far behind. */
	write(batch: RawBatch): boolean
	readonly batches: number
	readonly lostBatches: number
	readonly bytes: number
	/** Ends the file. Rejects with E_FILE when it could not be written. */
	close(): Promise<void>
}

/** Bytes waiting for the disk. */
const MAX_WAITING = 64 << 20

/** The file holds paths, hosts and addresses as they were on the wire: readable by its owner alone (mode 0600). */
export function createRecordingWriter(
	path: string,
	header: RecordingHeader,
	maxWaiting: number = MAX_WAITING,
): RecordingWriter {
	const stream = open(path)
	let failure: Error | undefined
	stream.on('error', (error) => {
		failure ??= error
	})
	let batches = 0
	let lostBatches = 0
	let bytes = 0
	let closing: Promise<void> | undefined
	const put = (data: Uint8Array): void => {
		bytes += data.length
		stream.write(data)
	}
	put(MAGIC)
	put(
		encodeFrame({
			case: 'header',
			value: create(HeaderSchema, { version: FORMAT_VERSION, ...header, host: { ...header.host } }),
		}),
	)
	const close = async (): Promise<void> => {
		if (failure === undefined) {
			put(encodeFrame({ case: 'end', value: create(EndSchema, { batches, lostBatches }) }))
			stream.end()
			try {
				await finished(stream)
			} catch (error) {
				failure ??= error instanceof Error ? error : new Error(String(error))
			}
		}
		if (failure !== undefined) throw new VorError('E_FILE', `${path}: ${failure.message}`, { cause: failure })
	}
	return {
		get batches() {
			return batches
		},
		get lostBatches() {
			return lostBatches
		},
		get bytes() {
			return bytes
		},
		write(batch) {
			if (failure !== undefined || closing !== undefined || stream.writableLength > maxWaiting) {
				lostBatches++
				return false
			}
			put(encodeBatch(batch))
			batches++
			return true
		},
		close() {
			closing ??= close()
			return closing
		},
	}
}

function open(path: string): WriteStream {
	try {
		const fd = openSync(path, 'w', 0o600)
		// An older file of that name keeps its mode when it is opened.
		fchmodSync(fd, 0o600)
		return createWriteStream(path, { fd, highWaterMark: 1 << 20 })
	} catch (reason) {
		const message = reason instanceof Error ? reason.message : String(reason)
		throw new VorError('E_FILE', `the recording cannot be written: ${message}`, { cause: reason })
	}
}
