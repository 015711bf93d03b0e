import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Frame } from '../gen/vor/recording/v1/recording_pb.ts'
import type { RawBatch } from '../model/batch.ts'
import { VorError } from '../util/errors.ts'
import {
	decodeFrame,
	FORMAT_VERSION,
	FRAME_HEAD,
	MAGIC,
	MAX_FRAME,
	type RecordingHeader,
	toBatch,
	toHeader,
} from './recording-format.ts'

/** A recording opened for reading, one frame in memory at a time. */
export interface RecordingReader {
	readonly header: RecordingHeader
	/**
	 * The next batch, undefined at the end. A damaged frame is passed over when an intact one follows it; E_RECORDING is thrown
	 * for the first one after everything readable was given.
	 */
	next(): RawBatch | undefined
	/** After the last batch: 'whole', or 'cut' when the recorder did not end it. */
	readonly ending: 'unknown' | 'whole' | 'cut'
	/** Batches that the recorder itself lost; known only of a whole recording. */
	readonly lostBatches: number
	close(): void
}

/** Throws E_FILE when it cannot be opened, E_RECORDING when it is none or of another layout. */
export function openRecording(path: string, expectedLayout: string): RecordingReader {
	let fd: number
	try {
		fd = openSync(path, 'r')
	} catch (reason) {
		const message = reason instanceof Error ? reason.message : String(reason)
		throw new VorError('E_FILE', `the recording cannot be read: ${message}`, { cause: reason })
	}
	const reader = new FileReader(path, fd)
	try {
		reader.readHeader(expectedLayout)
		return reader
	} catch (reason) {
		reader.close()
		throw reason
	}
}

class FileReader implements RecordingReader {
	header: RecordingHeader = { layoutHash: '', vorVersion: '', surface: '', host: {} }
	ending: 'unknown' | 'whole' | 'cut' = 'unknown'
	lostBatches = 0
	private at = 0
	/** The first damaged frame, and whether the last one read was damaged. */
	private damage: VorError | undefined
	private lost = false
	private open = true
	private readonly path: string
	private readonly fd: number

	constructor(path: string, fd: number) {
		this.path = path
		this.fd = fd
	}

	readHeader(expectedLayout: string): void {
		const magic = this.read(MAGIC.length)
		if (!magic.equals(MAGIC)) {
			const versioned = magic.subarray(0, 6).equals(MAGIC.subarray(0, 6))
			throw this.error(versioned ? 'it was made by another version of Vör' : 'it is not a recording of Vör')
		}
		const frame = this.frame()
		if (frame?.content.case !== 'header') throw this.error('it has no header')
		const header = frame.content.value
		if (header.version !== FORMAT_VERSION) {
			throw this.error(`its format is version ${header.version}, this Vör reads ${FORMAT_VERSION}`)
		}
		if (header.layoutHash !== expectedLayout) {
			throw this.error(
				`its records have layout ${header.layoutHash} (Vör ${header.vorVersion}), this Vör reads ${expectedLayout}`,
				'replay it with the version that recorded it',
			)
		}
		this.header = toHeader(header)
	}

	next(): RawBatch | undefined {
		if (this.ending !== 'unknown') return undefined
		const frame = this.intactFrame()
		if (frame?.content.case === 'batch') return toBatch(frame.content.value)
		if (this.damage !== undefined) throw this.damage
		if (frame?.content.case === 'end') {
			this.ending = 'whole'
			this.lostBatches = frame.content.value.lostBatches
		} else this.ending = 'cut'
		return undefined
	}

	/** Two damaged frames in a row: the length of the first cannot be trusted either, nothing more is found. */
	private intactFrame(): Frame | undefined {
		for (;;) {
			const at = this.at
			try {
				const frame = this.frame()
				this.lost = false
				const kind = frame?.content.case
				if (frame === undefined || kind === 'batch' || kind === 'end') return frame
				throw this.error(`at byte ${at} stands a frame of an unknown kind`)
			} catch (reason) {
				this.damage ??= VorError.from(reason)
				if (this.lost) throw this.damage
				this.lost = true
			}
		}
	}

	close(): void {
		if (this.open) closeSync(this.fd)
		this.open = false
	}

	/** undefined: the file ends before the frame does. */
	private frame(): Frame | undefined {
		const at = this.at
		const head = this.read(FRAME_HEAD)
		if (head.length < FRAME_HEAD) return undefined
		const length = head.readUInt32LE(0)
		if (length > MAX_FRAME)
			throw this.error(`at byte ${at} stands a frame of ${length} bytes: the file is damaged`)
		const message = this.read(length)
		if (message.length < length) return undefined
		if (crc32(message) !== head.readUInt32LE(4)) {
			throw this.error(`the frame at byte ${at} does not match its checksum: the file is damaged`)
		}
		try {
			return decodeFrame(message)
		} catch (reason) {
			throw this.error(`the frame at byte ${at} cannot be decoded: ${String(reason)}`)
		}
	}

	private read(length: number): Buffer {
		const buffer = Buffer.allocUnsafe(length)
		let got = 0
		while (got < length) {
			const count = readSync(this.fd, buffer, got, length - got, this.at + got)
			if (count === 0) break
			got += count
		}
		this.at += got
		return buffer.subarray(0, got)
	}

	private error(what: string, fix = ''): VorError {
		return new VorError('E_RECORDING', `${this.path}: ${what}`, { fix })
	}
}
