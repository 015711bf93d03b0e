import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVIDENCE, ROLE } from '../../src/capture/layout.gen.ts'
import { spawnPolitely } from '../helpers/spawn.ts'
import { type Exchange, type Kernel, openKernel } from './support/kernel.ts'

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path))
const PROCESS_NGINX = 0x100

function configuration(folder: string, port: number, good: number, bad: number): string {
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
	return `daemon off; worker_processes 2; pid ${folder}/pid; error_log ${folder}/error;
events { worker_connections 256; }
http {
	access_log off;
	${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
	upstream good { server 127.0.0.1:${good}; keepalive 4; }
	upstream flaky { server 127.0.0.1:${bad} max_fails=0; server 127.0.0.1:${good} backup; }
	server {
		listen 127.0.0.1:${port};
		proxy_http_version 1.1; proxy_set_header Connection "";
		location /retry { proxy_pass http://flaky; proxy_next_upstream error timeout http_502; }
		location /mirrored { mirror /copy; proxy_pass http://good; }
		location = /copy { internal; proxy_pass http://good/copied$request_uri; }
		location /guarded { auth_request /auth; proxy_pass http://good; }
		location = /auth { internal; proxy_pass http://good/allowed$request_uri; }
		location /broken { proxy_pass http://good/status/500; proxy_intercept_errors on; error_page 500 = /fallback; }
		location = /fallback { internal; proxy_pass http://good/instead; }
		location /slow { proxy_pass http://good; }
		location / { proxy_pass http://good; }
	}
}`
}

async function port(server: Server): Promise<number> {
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return (server.address() as AddressInfo).port
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe.skipIf(NGINX === undefined)('every way of nginx to an upstream', () => {
	let kernel: Kernel
	let nginx: ChildProcess
	let listen: number
	let folder: string
	/** What the client of a path does once its request has reached the upstream. */
	const arrived = new Map<string, () => void>()
	const good = createServer((message, response) => {
		arrived.get(message.url ?? '')?.()
		const slow = message.url?.startsWith('/slow') || message.url?.startsWith('/copied')
		response.statusCode = message.url === '/status/500' ? 500 : 200
		setTimeout(() => response.end('ok'), slow ? 1000 : 3)
	})
	const bad = createTcpServer((socket) => {
		socket.on('error', () => {})
		socket.once('data', () => socket.resetAndDestroy())
	})
	const workers = (): number[] =>
		execFileSync('pgrep', ['-P', String(nginx.pid)], { encoding: 'utf8' })
			.split('\n')
			.filter(Boolean)
			.map(Number)

	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), 'vor-nginx-paths-'))
		kernel = await openKernel('sock')
		const reserved = createTcpServer()
		listen = await port(reserved)
		const [goodPort, badPort] = [await port(good), await port(bad)]
		reserved.close()
		const file = join(folder, 'conf')
		writeFileSync(file, configuration(folder, listen, goodPort, badPort))
		nginx = spawnPolitely(NGINX as string, ['-c', file, '-p', folder], { stdio: 'inherit' })
		await kernel.object
			.program('vor_nginx_chain_writer')
			.attachUprobe({ path: NGINX as string, symbol: 'ngx_chain_writer' })
		for (let i = 0; i < 600 && (await fetched('/ready').catch(() => 0)) !== 200; i++) await pause(50)
		for (const pid of workers()) kernel.select(pid, PROCESS_NGINX)
		kernel.drain()
	}, 120_000)
	afterAll(async () => {
		nginx.kill('SIGTERM')
		await once(nginx, 'exit')
		good.close()
		bad.close()
		kernel.close()
		rmSync(folder, { recursive: true, force: true })
	})

	/** `giveUpMs`: so long after the upstream got it, the client is gone. */
	function fetched(path: string, giveUpMs = 0): Promise<number> {
		return new Promise((resolve, reject) => {
			const sent = request({ host: '127.0.0.1', port: listen, path, agent: false }, (response) => {
				response.resume().on('end', () => resolve(response.statusCode as number))
			})
			sent.on('error', reject).end()
			if (giveUpMs > 0) arrived.set(path, () => setTimeout(() => sent.destroy(), giveUpMs))
		})
	}
	/** All exchanges since the last look, once the kernel holds none open: a mirrored request outlives the one it copies. */
	async function ended(): Promise<Exchange[]> {
		for (let i = 0; i < 400 && kernel.open() !== 0; i++) await pause(50)
		expect(kernel.open()).toBe(0)
		return kernel.exchanges()
	}
	function family(all: readonly Exchange[], path: string): { server: Exchange; clients: Exchange[] } {
		const server = all.find((one) => one.role === ROLE.SERVER && one.target === path)
		if (server === undefined) throw new Error(`${path} in ${all.map(({ target }) => target)}`)
		return {
			server,
			clients: all.filter((one) => one.role === ROLE.CLIENT && one.parentId === server.spanId),
		}
	}

	it.each([
		['/retry', [0, 200]],
		['/mirrored', [200, 200]],
		['/guarded', [200, 200]],
		['/broken', [500, 200]],
	])('%s: all of its upstream requests are children of the one request', async (path, statuses) => {
		expect(await fetched(path)).toBe(200)
		const { server, clients } = family(await ended(), path)
		expect(server.status).toBe(200)
		expect(clients.map(({ status }) => status).sort()).toEqual([...statuses].sort())
		expect(clients.every(({ evidence }) => evidence === EVIDENCE.NGINX_REQUEST)).toBe(true)
	})

	it('gives no request the child of one that its client has given up', async () => {
		const paths = Array.from({ length: 40 }, (_, i) => `/slow/${i}`)
		await Promise.all(paths.map((path, i) => fetched(path, i % 2 === 0 ? 1 + i : 0).catch(() => 0)))
		await Promise.all(Array.from({ length: 40 }, (_, i) => fetched(`/after/${i}`)))
		const all = await ended()
		for (const client of all.filter(({ role }) => role === ROLE.CLIENT)) {
			const server = all.find(({ role, spanId }) => role === ROLE.SERVER && spanId === client.parentId)
			if (client.evidence === EVIDENCE.NGINX_REQUEST) expect(server?.target).toBe(client.target)
			else expect(client.parentId).toBe('0000000000000000')
		}
		for (const i of paths.keys()) {
			const { server } = family(all, `/slow/${i}`)
			expect(server.status).toBe(i % 2 === 0 ? 0 : 200)
		}
	})

	it('of a worker that a reload started, nothing is said before it is known, and all after', async () => {
		const before = workers()
		nginx.kill('SIGHUP')
		for (let i = 0; i < 600 && workers().some((pid) => before.includes(pid)); i++) await pause(50)
		kernel.drain()
		for (const pid of workers()) kernel.select(pid)
		await fetched('/one')
		for (const pid of workers()) kernel.select(pid, PROCESS_NGINX)
		await fetched('/two')
		const all = await ended()
		expect(family(all, '/one').clients).toEqual([])
		expect(family(all, '/two').clients).toHaveLength(1)
	})
})
