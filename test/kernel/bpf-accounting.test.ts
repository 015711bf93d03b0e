import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
	execRecord,
	exitRecord,
	forkRecord,
	listenRecord,
	processKey,
	RECORD_KIND,
	redKey,
	redValue,
} from '../../src/capture/layout.gen.ts'
import { openKernel, STORAGE_FORMS } from './support/kernel.ts'
import { close, move, pair } from './support/sockets.ts'
import { watchedSockets } from './support/watched-sockets.ts'

const EXCHANGES = 600

describe.each(STORAGE_FORMS)('accounting when the ring is full (%s)', (form) => {
	const watched = watchedSockets(form, { ringBytes: 65536 })

	it('counts every exchange that has no record in the fallback map, to the last byte', async () => {
		const request = 'POST /red HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc'
		const response = `HTTP/1.1 503 Busy\r\nContent-Length: 40\r\n\r\n${'r'.repeat(40)}`
		const turns = Array.from({ length: EXCHANGES }, () => [
			...move('c', 's', request),
			...move('s', 'c', response),
		])
		await watched.sockets.run([pair(), ...turns.flat(), ...close('c', 's')])
		const spans = watched.kernel.exchanges().length
		const lost = watched.kernel.counter('DROPPED_RING_FULL')
		expect(spans).toBeGreaterThan(100)
		expect(lost).toBeGreaterThan(100)
		expect(spans + lost).toBe(EXCHANGES * 2)
		expect(watched.kernel.counter('EMITTED')).toBe(spans)
		expect(watched.kernel.counter('FALLBACK_ADDED')).toBe(lost)
		expect(watched.kernel.open()).toBe(0)

		const map = watched.kernel.object.map('vor_red')
		const { count, keys, values } = map.entries({ take: true })
		const key = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength)
		const value = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
		const total = { count: 0, request: 0, response: 0, durations: 0, duration: 0, q: 0, p: 0 }
		for (let i = 0; i < count; i++) {
			const k = i * redKey.size
			expect(key.readUInt32LE(k + redKey.process + processKey.tgid)).toBe(watched.sockets.pid)
			expect(key.readUInt16LE(k + redKey.status)).toBe(503)
			expect(key.readUInt8(k + redKey.method)).toBe(3)
			for (let cpu = 0; cpu < map.cpus; cpu++) {
				const v = (i * map.cpus + cpu) * redValue.size
				total.count += Number(value.readBigUInt64LE(v + redValue.count))
				total.request += Number(value.readBigUInt64LE(v + redValue.request_body_sum))
				total.response += Number(value.readBigUInt64LE(v + redValue.response_body_sum))
				total.duration += Number(value.readBigUInt64LE(v + redValue.duration_sum_ns))
				for (let b = 0; b < 15; b++) total.durations += value.readUInt32LE(v + redValue.duration + b * 4)
				// 3 bytes are in (0, 32], 40 in (32, 64].
				total.q += value.readUInt32LE(v + redValue.request_body + 4)
				total.p += value.readUInt32LE(v + redValue.response_body + 8)
			}
		}
		expect(total).toEqual({
			count: lost,
			request: lost * 3,
			response: lost * 40,
			durations: lost,
			duration: expect.any(Number),
			q: lost,
			p: lost,
		})
		expect(total.duration).toBeGreaterThan(0)
	})
})

describe('process events', () => {
	it('says of a program that lives for a moment who it was', async () => {
		const kernel = await openKernel('sock')
		const ring = kernel.object.map('vor_process_ring').ring()
		const folder = mkdtempSync(join(tmpdir(), 'vor-exec-'))
		try {
			const into = Buffer.alloc(1 << 20) // as large as the ring
			ring.drain(into)
			const long = join(folder, 'd'.repeat(120))
			mkdirSync(long)
			symlinkSync('/bin/sh', join(long, 'program'))
			const child = spawn(join(long, 'program'), ['-c', 'exit 7', 'argument two'], {
				env: {
					FIRST: 'x'.repeat(700),
					OTEL_SERVICE_NAME: 'the-shop',
					NOT_OTEL_: 'no',
					OTEL_RESOURCE_ATTRIBUTES: 'a=b,c=d',
					LAST: 'y',
				},
			})
			await once(child, 'exit')
			const bytes = ring.drain(into)
			const kinds = new Map<number, Buffer>()
			for (let at = 0; at < bytes; ) {
				const size = into.readUInt16LE(at + 2)
				const record = into.subarray(at, at + size)
				if (record.readUInt32LE(8) === child.pid) kinds.set(record.readUInt16LE(0), record)
				at += (size + 7) & ~7
			}
			const exec = kinds.get(RECORD_KIND.EXEC) as Buffer
			const text = (at: number, length: number): string => exec.toString('latin1', at, at + length)
			expect(text(execRecord.args, exec.readUInt16LE(execRecord.args_len)).split('\0').slice(1)).toEqual([
				'-c',
				'exit 7',
				'argument two',
				'',
			])
			expect(text(execRecord.env, exec.readUInt16LE(execRecord.env_len))).toBe(
				'OTEL_SERVICE_NAME=the-shop\0OTEL_RESOURCE_ATTRIBUTES=a=b,c=d\0',
			)
			expect(exec.readUInt16LE(execRecord.env_truncated)).toBe(0)
			expect(exec.readUInt32LE(execRecord.ppid)).toBe(process.pid)
			expect(text(execRecord.comm, 16).split('\0')[0]).toBe('program')
			const path = join(long, 'program')
			expect(text(execRecord.filename, exec.readUInt16LE(execRecord.filename_len))).toBe(path.slice(-128))
			const start = exec.readBigUInt64LE(execRecord.process + processKey.start_ns)
			const exit = kinds.get(RECORD_KIND.EXIT) as Buffer
			expect(exit.readUInt32LE(exitRecord.exit_code) >> 8).toBe(7)
			expect(exit.readBigUInt64LE(exitRecord.process + processKey.start_ns)).toBe(start)
			const fork = kinds.get(RECORD_KIND.FORK) as Buffer
			expect(fork.readUInt32LE(forkRecord.parent + processKey.tgid)).toBe(process.pid)
		} finally {
			ring.close()
			kernel.close()
			rmSync(folder, { recursive: true, force: true })
		}
	}, 120_000)

	it('says who begins to listen, and where', async () => {
		const kernel = await openKernel('sock')
		const ring = kernel.object.map('vor_process_ring').ring()
		try {
			const into = Buffer.alloc(1 << 20) // as large as the ring
			ring.drain(into)
			const { createServer } = await import('node:net')
			const server = createServer().listen(0, '127.0.0.1')
			await once(server, 'listening')
			const { port } = server.address() as { port: number }
			const bytes = ring.drain(into)
			server.close()
			const ports: number[] = []
			for (let at = 0; at < bytes; at += (into.readUInt16LE(at + 2) + 7) & ~7)
				if (into.readUInt16LE(at) === RECORD_KIND.LISTEN && into.readUInt32LE(at + 8) === process.pid)
					ports.push(into.readUInt16LE(at + listenRecord.local + 16))
			expect(ports).toEqual([port])
		} finally {
			ring.close()
			kernel.close()
		}
	}, 120_000)
})
