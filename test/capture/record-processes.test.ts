import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HEADER, httpRecord, processKey, RECORD_KIND } from '../../src/capture/layout.ts'
import { meetProcesses } from '../../src/capture/record-processes.ts'

function meet(bytes: Uint8Array, length = bytes.length) {
	const seen: [pid: number, startNs: number][] = []
	const statistics = { malformed: 0 }
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	const see = (pid: number, startNs: number): void => void seen.push([pid, startNs])
	const exchanges = meetProcesses(view, length, { see }, statistics)
	return { exchanges, seen, malformed: statistics.malformed }
}

function record(kind: number, pid: number, startNs: bigint, size = 64): Buffer {
	const bytes = Buffer.alloc(size)
	bytes.writeUInt16LE(kind, HEADER.kindAt)
	bytes.writeUInt16LE(size, HEADER.sizeAt)
	bytes.writeUInt32LE(pid, httpRecord.process + processKey.tgid)
	bytes.writeBigUInt64LE(startNs, httpRecord.process + processKey.start_ns)
	return bytes
}

const { HTTP1, CONN } = RECORD_KIND

test('every process is met once in a row, also one that differs in its start time alone', () => {
	const bytes = Buffer.concat([
		record(HTTP1, 10, 5n),
		record(HTTP1, 10, 5n, 128),
		record(CONN, 10, 6n),
		record(HTTP1, 10, 6n + 2n ** 33n),
		record(HTTP1, 11, 6n + 2n ** 33n),
		record(HTTP1, 10, 5n),
	])
	expect(meet(bytes)).toEqual({
		exchanges: 5,
		seen: [
			[10, 5],
			[10, 6],
			[10, 6 + 2 ** 33],
			[11, 6 + 2 ** 33],
			[10, 5],
		],
		malformed: 0,
	})
})

test('what stands behind the drained bytes is of an earlier drain', () => {
	const bytes = Buffer.concat([record(HTTP1, 10, 5n), record(HTTP1, 11, 5n)])
	expect(meet(bytes, 64)).toEqual({ exchanges: 1, seen: [[10, 5]], malformed: 0 })
	expect(meet(bytes, 0)).toEqual({ exchanges: 0, seen: [], malformed: 0 })
})

test('nothing is read past a record that is cut or too short for a process', () => {
	const cut = record(HTTP1, 11, 5n)
	cut.writeUInt16LE(65, HEADER.sizeAt)
	expect(meet(Buffer.concat([record(HTTP1, 10, 5n), cut]))).toMatchObject({
		exchanges: 1,
		seen: [[10, 5]],
		malformed: 1,
	})
	const short = Buffer.alloc(16)
	short.writeUInt16LE(HTTP1, HEADER.kindAt)
	short.writeUInt16LE(16, HEADER.sizeAt)
	expect(meet(Buffer.concat([record(HTTP1, 10, 5n), short]))).toMatchObject({ exchanges: 1, malformed: 1 })
})

test('no bytes make it throw or run on', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			const { exchanges, seen, malformed } = meet(bytes)
			expect(malformed).toBeLessThanOrEqual(1)
			expect(Math.max(exchanges, seen.length)).toBeLessThanOrEqual(bytes.length / 24)
		}),
	)
})
