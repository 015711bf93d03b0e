import type { ProcessEvent } from '../model/process-event.ts'
import {
	address,
	execRecord,
	exitRecord,
	forkRecord,
	HEADER,
	LIMIT,
	listenRecord,
	processKey,
	RECORD_KIND,
} from './layout.ts'

/** Reads records of the process ring out of one reused buffer. */
export interface ProcessRecordReader {
	/** Calls `give` for every record of the first `length` bytes; returns how many were of an unknown kind or cut. */
	read(length: number, give: (event: ProcessEvent) => void): number
}

export function createProcessRecordReader(bytes: Uint8Array): ProcessRecordReader {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	return {
		read(length, give) {
			let malformed = 0
			let at = 0
			while (at + HEADER.bytes <= length) {
				const size = buffer.readUInt16LE(at + HEADER.sizeAt)
				if (size < HEADER.bytes || at + size > length) return malformed + 1
				const kind = buffer.readUInt16LE(at + HEADER.kindAt)
				const event = size < (SIZES[kind] ?? Number.POSITIVE_INFINITY) ? undefined : decode(buffer, at, kind)
				if (event === undefined) malformed++
				else give(event)
				at += size
			}
			return malformed
		},
	}
}

/** A shorter record than its kind has is malformed: nothing is read past it. */
const SIZES: Readonly<Record<number, number>> = {
	[RECORD_KIND.EXEC]: execRecord.size,
	[RECORD_KIND.FORK]: forkRecord.size,
	[RECORD_KIND.EXIT]: exitRecord.size,
	[RECORD_KIND.LISTEN]: listenRecord.size,
}

function decode(buffer: Buffer, at: number, kind: number): ProcessEvent | undefined {
	switch (kind) {
		case RECORD_KIND.EXEC: {
			const argsAt = at + execRecord.args
			const envAt = at + execRecord.env
			const filenameAt = at + execRecord.filename
			return {
				kind: 'exec',
				...identity(buffer, at + execRecord.process),
				timeNs: u64(buffer, at + execRecord.time_ns),
				parentPid: buffer.readUInt32LE(at + execRecord.ppid),
				comm: text(buffer, at + execRecord.comm, COMM_LEN),
				filename: text(buffer, filenameAt, buffer.readUInt16LE(at + execRecord.filename_len)),
				args: strings(buffer, argsAt, buffer.readUInt16LE(at + execRecord.args_len)),
				env: strings(buffer, envAt, buffer.readUInt16LE(at + execRecord.env_len)),
				exeDev: buffer.readUInt32LE(at + execRecord.exe_dev),
				exeInode: u64(buffer, at + execRecord.exe_inode),
				netns: buffer.readUInt32LE(at + execRecord.netns),
			}
		}
		case RECORD_KIND.FORK: {
			const parent = identity(buffer, at + forkRecord.parent)
			return {
				kind: 'fork',
				...identity(buffer, at + forkRecord.process),
				timeNs: u64(buffer, at + forkRecord.time_ns),
				parentPid: parent.pid,
				parentStartNs: parent.startNs,
				comm: text(buffer, at + forkRecord.comm, COMM_LEN),
			}
		}
		case RECORD_KIND.EXIT:
			return {
				kind: 'exit',
				...identity(buffer, at + exitRecord.process),
				timeNs: u64(buffer, at + exitRecord.time_ns),
			}
		case RECORD_KIND.LISTEN:
			return {
				kind: 'listen',
				...identity(buffer, at + listenRecord.process),
				timeNs: u64(buffer, at + listenRecord.time_ns),
				port: buffer.readUInt16LE(at + listenRecord.local + address.port),
			}
		default:
			return undefined
	}
}

const { COMM_LEN } = LIMIT

function identity(buffer: Buffer, at: number): { pid: number; startNs: number } {
	return {
		pid: buffer.readUInt32LE(at + processKey.tgid),
		startNs: u64(buffer, at + processKey.start_ns),
	}
}

function u64(buffer: Buffer, at: number): number {
	return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 4294967296
}

/** Up to the first NUL. */
function text(buffer: Buffer, at: number, length: number): string {
	let end = at
	const limit = Math.min(at + length, buffer.length)
	while (end < limit && buffer[end] !== 0) end++
	return buffer.toString('utf8', at, end)
}

function strings(buffer: Buffer, at: number, length: number): string[] {
	const limit = Math.min(at + length, buffer.length)
	const list: string[] = []
	let from = at
	while (from < limit) {
		let end = from
		while (end < limit && buffer[end] !== 0) end++
		list.push(buffer.toString('utf8', from, end))
		from = end + 1
	}
	return list
}
