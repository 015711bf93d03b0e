import fc from 'fast-check'
import { expect, test } from 'vitest'
import { execRecord, exitRecord, HEADER, listenRecord, RECORD_KIND } from '../../src/capture/layout.ts'
import { createProcessRecordReader } from '../../src/capture/process-records.ts'
import type { ProcessEvent } from '../../src/model/process-event.ts'

function read(bytes: Uint8Array, length = bytes.length): { events: ProcessEvent[]; malformed: number } {
	const events: ProcessEvent[] = []
	const malformed = createProcessRecordReader(bytes).read(length, (event) => events.push(event))
	return { events, malformed }
}

function record(kind: number, size: number): Buffer {
	const bytes = Buffer.alloc(size)
	bytes.writeUInt16LE(kind, HEADER.kindAt)
	bytes.writeUInt16LE(size, HEADER.sizeAt)
	bytes.writeUInt32LE(4321, 8)
	bytes.writeBigUInt64LE(123_456_789_012_345n, 16)
	return bytes
}

test('an exec record is read field by field, empty arguments kept', () => {
	const bytes = record(RECORD_KIND.EXEC, execRecord.size)
	const args = 'curl\0\0-s\0'
	const env = 'OTEL_A=1\0OTEL_B=2'
	bytes.write(args, execRecord.args)
	bytes.writeUInt16LE(args.length, execRecord.args_len)
	bytes.write(env, execRecord.env)
	bytes.writeUInt16LE(env.length, execRecord.env_len)
	bytes.write('/usr/bin/curl', execRecord.filename)
	bytes.writeUInt16LE(13, execRecord.filename_len)
	bytes.write('curl', execRecord.comm)
	bytes.writeUInt32LE(77, execRecord.ppid)
	expect(read(bytes)).toMatchObject({
		malformed: 0,
		events: [
			{
				kind: 'exec',
				pid: 4321,
				startNs: 123_456_789_012_345,
				parentPid: 77,
				comm: 'curl',
				filename: '/usr/bin/curl',
				args: ['curl', '', '-s'],
				env: ['OTEL_A=1', 'OTEL_B=2'],
			},
		],
	})
})

test('several records back to back are read in order, an unknown kind is counted and passed over', () => {
	const listen = record(RECORD_KIND.LISTEN, listenRecord.size)
	listen.writeUInt16LE(8080, listenRecord.local + 16)
	const bytes = Buffer.concat([record(RECORD_KIND.EXIT, exitRecord.size), record(99, 24), listen])
	const { events, malformed } = read(bytes)
	expect(events).toMatchObject([{ kind: 'exit' }, { kind: 'listen', port: 8080 }])
	expect(malformed).toBe(1)
})

test('random bytes never throw and never loop', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 4096 }), fc.nat(4096), (bytes, length) => {
			read(bytes, Math.min(length, bytes.length))
		}),
	)
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 6 }),
			fc.integer({ min: 8, max: 2000 }),
			fc.uint8Array({ minLength: 2000, maxLength: 2000 }),
			(kind, size, noise) => {
				const bytes = Buffer.from(noise.subarray(0, size))
				bytes.writeUInt16LE(kind, HEADER.kindAt)
				bytes.writeUInt16LE(size, HEADER.sizeAt)
				read(bytes)
			},
		),
	)
})
