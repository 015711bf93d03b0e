import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startHttpServer } from '../../src/server/http-server.ts'
import type { LiveSink, LiveSource } from '../../src/server/live-stream.ts'
import type { ServerSources } from '../../src/server/routes.ts'
import { createLog } from '../../src/telemetry/log.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
	for (const close of closing.splice(0)) await close()
})

async function serve() {
	const sinks: LiveSink[] = []
	const lines: string[] = []
	let watching = 0
	const live: LiveSource = {
		watch(id, sink) {
			if (id !== 'some/x.y.z') return `the component "${id}" does not support live debugging`
			sinks.push(sink)
			watching++
			return () => void watching--
		},
	}
	const { url, close } = await startHttpServer({
		listen: { host: '127.0.0.1', port: 0 },
		log: createLog({ write: (line) => void lines.push(line) }),
		sources: { live } as ServerSources,
	})
	closing.push(close)
	const open = async (query = '') => {
		const response = await fetch(`${url}/api/v0/web/debug/some/x.y.z${query}`)
		return { response, reader: response.body?.pipeThrough(new TextDecoderStream()).getReader() }
	}
	return { url, sinks, lines, open, watching: () => watching }
}

async function until(check: () => boolean): Promise<void> {
	for (const end = performance.now() + 30_000; !check() && performance.now() < end; )
		await new Promise((done) => setTimeout(done, 10))
	expect(check()).toBe(true)
}

describe('the live stream of a component', () => {
	it('gives each text with a separator, and ends when the component is gone', async () => {
		const { open, sinks, watching } = await serve()
		const { response, reader } = await open()
		expect([response.status, response.headers.get('content-type')]).toEqual([
			200,
			'text/plain; charset=utf-8',
		])
		for (const text of ['one', '', 'two\nlines']) sinks[0]!.offer(() => text)
		let all = ''
		while (all.split('|;|').length < 3) all += (await reader!.read()).value
		expect(all).toBe('one|;|two\nlines|;|')
		sinks[0]!.end()
		expect((await reader!.read()).done).toBe(true)
		await until(() => watching() === 0)
	})

	it('refuses in Alloy’s words what cannot be watched, and a share that is none', async () => {
		const { url } = await serve()
		const refused = await fetch(`${url}/api/v0/web/debug/local.file.f`)
		expect([refused.status, await refused.text()]).toEqual([
			500,
			'the component "local.file.f" does not support live debugging\n',
		])
		for (const share of ['2', '-1', 'x', 'NaN', '0.5x']) {
			const response = await fetch(`${url}/api/v0/web/debug/some/x.y.z?sampleProb=${share}`)
			expect([response.status, await response.text()]).toEqual([400, 'Invalid sample probability\n'])
		}
	})

	it('gives the share that was asked for, and makes no text of the rest', async () => {
		const { open, sinks } = await serve()
		await open('?sampleProb=0')
		await open('?sampleProb=0.5')
		let made = 0
		for (let i = 0; i < 1000; i++) sinks[0]!.offer(() => `${made++}`)
		expect(made).toBe(0)
		for (let i = 0; i < 1000; i++) sinks[1]!.offer(() => `${made++}`)
		// Five standard deviations of a binomial with 1000 tries.
		expect(Math.abs(made - 500)).toBeLessThan(80)
	})

	it('holds little for a client that does not read: it drops, says so once, and makes no text of what is dropped', async () => {
		const { url, sinks, lines, watching } = await serve()
		const socket = connect(Number(new URL(url).port), '127.0.0.1')
		await once(socket, 'connect')
		socket.write('GET /api/v0/web/debug/some/x.y.z HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
		await until(() => sinks.length === 1)
		const text = 'x'.repeat(64 * 1024)
		let made = 0
		for (let i = 0; i < 2000; i++) {
			sinks[0]!.offer(() => {
				made++
				return text
			})
			if (i % 50 === 0) await new Promise((done) => setImmediate(done))
		}
		// A megabyte here, and what the kernel takes for both ends of the connection.
		expect(made * text.length).toBeLessThan(32 * 1024 * 1024)
		expect(made).toBeGreaterThan(10)
		expect(lines.filter((line) => line.includes('data throughput is very high'))).toHaveLength(1)
		socket.destroy()
		await until(() => watching() === 0)
		expect(lines.join('')).toContain(`dropped=${2000 - made}`)
	})

	it('stops watching when the client hangs up', async () => {
		const { open, watching } = await serve()
		const { reader } = await open()
		expect(watching()).toBe(1)
		await reader!.cancel()
		await until(() => watching() === 0)
	})
})
