import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { run } from './support/process.ts'
import { type Server, startNginx } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

/** Bytes that no honest client sends. None of them makes nginx serve /secret/*, so none may make a span of it. */
const attacks: Record<string, () => Buffer> = {
	'random bytes': () => randomBytes(4096),
	'a truncated request line': () => Buffer.from('GET /secret/1'),
	'a truncated head': () => Buffer.from('GET /secret/2 HTTP/1.1\r\nHost: x\r\nX-Y: '),
	'an oversize request line': () => Buffer.from(`GET /secret/${'3'.repeat(100_000)} HTTP/1.1\r\n\r\n`),
	'an oversize header': () =>
		Buffer.from(`GET /secret/4 HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(200_000)}\r\n\r\n`),
	'a binary request line': () =>
		Buffer.concat([Buffer.from('GET /secret/5\0\xff\x01 HTTP/1.1\r\n'), randomBytes(64)]),
	'bare carriage returns': () => Buffer.from('\r\r\r\rGET /secret/6 HTTP/1.1\r\r\r\r'),
	'TLS to a plain port': () =>
		Buffer.concat([Buffer.from('16030100c8010000c40303', 'hex'), randomBytes(193)]),
	'two lengths that disagree': () =>
		Buffer.from('POST /secret/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'),
	'a negative length': () => Buffer.from('POST /secret/8 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'),
	'a length beyond 64 bits': () =>
		Buffer.from('POST /secret/9 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n'),
	'a response instead of a request': () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'),
}

describe('hostile bytes to a traced server', () => {
	let collector: Judge
	let nginx: Server
	let vor: Vor

	beforeAll(async () => {
		collector = await startJudge()
		nginx = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }')
		vor = await startVor(
			stages({ endpoint: collector.endpoint, ringbuf: selecting({ ports: [nginx.port] }) }),
		)
	}, 900_000)
	afterAll(async () => {
		await vor?.stop()
		await nginx?.stop()
		await collector?.stop()
	})

	it.each(Object.keys(attacks))('make no 2xx span and stop nothing: %s', async (name) => {
		for (let i = 0; i < 20; i++) await send(nginx.port, (attacks[name] as () => Buffer)())
		const mark = `/after/${encodeURIComponent(name)}`
		expect(
			(await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', `${nginx.url}${mark}`])).stdout,
		).toBe('200')
		const mine = () =>
			collector
				.traces()
				.filter((span) => span.kind === 'server' && span.attributes['server.port'] === nginx.port)
		await eventually(
			() => mine().find((span) => span.attributes['url.path'] === mark),
			() => `no span after the attack\n${vor.stderr()}`,
		)
		// Everything else that nginx was sent is broken, and nginx refused it or answered nothing.
		const honest = (path: string): boolean => path.startsWith('/after/')
		for (const { attributes } of mine()) {
			const path = String(attributes['url.path'])
			const status = attributes['http.response.status_code']
			if (honest(path)) expect([path, status]).toEqual([path, 200])
			else {
				expect(path, 'a path that was sent').toMatch(/^\/secret\/\d/)
				expect(status ?? 400, path).toBeGreaterThanOrEqual(400)
			}
		}
		expect(mine().filter(({ attributes }) => attributes['url.path'] === mark)).toHaveLength(1)
		expect((await fetch(`${vor.url}/-/ready`)).status).toBe(200)
	})
})

function send(port: number, bytes: Buffer): Promise<void> {
	return new Promise((resolve) => {
		const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes))
		socket.on('data', () => {})
		socket.on('error', () => resolve())
		socket.on('close', () => resolve())
		setTimeout(() => socket.destroy(), 300)
	})
}
