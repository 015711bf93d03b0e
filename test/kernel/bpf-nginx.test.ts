import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EVIDENCE, ROLE } from '../../src/capture/layout.gen.ts'
import { spawnPolitely } from '../helpers/spawn.ts'
import { type Exchange, type Kernel, openKernel } from './support/kernel.ts'

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path))
const PROCESS_NGINX = 0x100
const IN_FLIGHT = 64

function configuration(folder: string, port: number, upstream: number, keepAlive: boolean): string {
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
	return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error;
events { worker_connections 1024; }
http {
	access_log off;
	${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
	upstream back { server 127.0.0.1:${upstream}; ${keepAlive ? 'keepalive 8;' : ''} }
	server {
		listen 127.0.0.1:${port};
		location / { proxy_pass http://back/up/; ${keepAlive ? 'proxy_http_version 1.1; proxy_set_header Connection "";' : ''} }
	}
}`
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1')
	await once(server, 'listening')
	const { port } = server.address() as AddressInfo
	server.close()
	return port
}

describe.skipIf(NGINX === undefined).each([true, false])(
	'nginx as a proxy (upstream keep-alive %s)',
	(keepAlive) => {
		let kernel: Kernel
		let upstream: Server
		let nginx: ChildProcess
		let port: number
		let folder: string
		const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })

		beforeAll(async () => {
			folder = mkdtempSync(join(tmpdir(), 'vor-nginx-'))
			kernel = await openKernel('sock')
			// Answers come in another order than requests.
			upstream = createServer((message, response) => {
				setTimeout(() => response.end(message.url), 5 + Math.random() * 30)
			}).listen(0, '127.0.0.1')
			await once(upstream, 'listening')
			port = await freePort()
			const file = join(folder, 'conf')
			writeFileSync(file, configuration(folder, port, (upstream.address() as AddressInfo).port, keepAlive))
			nginx = spawnPolitely(NGINX as string, ['-c', file, '-p', folder], { stdio: 'inherit' })
			kernel.select(nginx.pid as number, PROCESS_NGINX)
			// Its first instruction is a push, which the kernel emulates.
			await kernel.object
				.program('vor_nginx_chain_writer')
				.attachUprobe({ path: NGINX as string, symbol: 'ngx_chain_writer', pid: nginx.pid as number })
			for (let i = 0; i < 600 && (await fetched('/ready').catch(() => 0)) !== 200; i++)
				await new Promise((resolve) => setTimeout(resolve, 50))
			kernel.drain()
		}, 120_000)
		afterAll(async () => {
			agent.destroy()
			nginx.kill('SIGTERM')
			await once(nginx, 'exit')
			upstream.close()
			kernel.close()
			rmSync(folder, { recursive: true, force: true })
		})
		afterEach(() => {
			expect(kernel.open()).toBe(0)
		})

		function fetched(path: string, headers: Record<string, string> = {}): Promise<number> {
			return new Promise((resolve, reject) => {
				request({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
					response.resume().on('end', () => resolve(response.statusCode as number))
				})
					.on('error', reject)
					.end()
			})
		}

		/** nginx's hook may still run when its answer is here already. */
		async function exchanges(wanted: number): Promise<Exchange[]> {
			const all = kernel.exchanges()
			for (let i = 0; i < 500 && all.length < wanted; i++) {
				await new Promise((resolve) => setTimeout(resolve, 10))
				all.push(...kernel.exchanges())
			}
			return all
		}

		it('gives every upstream request its own downstream request as parent, 64 in flight', async () => {
			const paths = Array.from({ length: 400 }, (_, i) => `/n/${i}`)
			await Promise.all(paths.map((path) => fetched(path)))
			const all = await exchanges(paths.length * 2)
			expect(all.length).toBe(paths.length * 2)
			const servers = new Map(all.filter(({ role }) => role === ROLE.SERVER).map((one) => [one.target, one]))
			let right = 0
			for (const client of all.filter(({ role }) => role === ROLE.CLIENT)) {
				const server = servers.get(client.target.slice('/up'.length))
				if (
					client.evidence === EVIDENCE.NGINX_REQUEST &&
					client.parentId === server?.spanId &&
					client.traceId === server.traceId
				)
					right++
			}
			expect(right).toBe(paths.length)
		})

		it('keeps the parent when nginx forwards a traceparent unchanged', async () => {
			const trace = '0af7651916cd43dd8448eb211c80319c'
			await fetched('/t', { traceparent: `00-${trace}-b7ad6b7169203331-01` })
			const all = await exchanges(2)
			const server = all.find(({ role }) => role === ROLE.SERVER)
			const client = all.find(({ role }) => role === ROLE.CLIENT)
			expect(client?.traceId).toBe(trace)
			expect(client?.parentId).toBe(server?.spanId)
		})
	},
)
