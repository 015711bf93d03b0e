import { createSocket, type Socket } from 'node:dgram'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { type Server, startGo, startNginx, startNode, startPython } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

const scenarios = ['immediate', 'await', 'timer', 'file', 'dns', 'queued', 'new_connection'] as const
const inFlight = 32
const rounds = 3

interface Row {
	right: number
	wrong: number
	absent: number
}

/** Names of its own for nginx to look up: every one is this host, for no longer than the answer is used. */
let names: Socket

const table: Record<string, Record<string, Row>> = {}
let collector: Judge

beforeAll(async () => {
	names = await startNames()
	collector = await startJudge()
}, 900_000)
afterAll(async () => {
	names?.close()
	await collector?.stop()
	console.log(`parents (right/wrong/absent)\n${render()}`)
})

function render(): string {
	const lines = [`${'runtime'.padEnd(10)}${scenarios.map((name) => name.padStart(16)).join('')}`]
	for (const [runtime, rows] of Object.entries(table)) {
		const cells = scenarios.map((name) => {
			const row = rows[name]
			return (row === undefined ? '-' : `${row.right}/${row.wrong}/${row.absent}`).padStart(16)
		})
		lines.push(runtime.padEnd(10) + cells.join(''))
	}
	return lines.join('\n')
}

interface Runtime {
	readonly name: string
	/** Scenarios whose parents must all be there. */
	readonly exact: readonly string[]
	readonly start: (back: Server) => Promise<Server>
}

const runtimes: Runtime[] = [
	{ name: 'node', exact: [], start: (back) => startNode({ UPSTREAM: back.url }) },
	{ name: 'go', exact: [], start: (back) => startGo({ UPSTREAM: back.url }) },
	{
		name: 'python',
		exact: scenarios,
		start: (back) => startPython({ UPSTREAM: back.url }),
	},
	{
		name: 'nginx',
		exact: scenarios,
		start: (back) =>
			startNginx(proxying(back.port), {
				workers: 2,
				files: { 'including.html': '<!--#include virtual="/included/$id" -->' },
			}),
	},
]

/**
 * What the scenarios are in nginx: a request that is allowed by another one first (await), delayed by a rate (timer), made for
 * an include in a file that was read (file), sent to a name that is looked up (dns), held back while another one with the same
 * cache key is under way (queued). Its own upstream queue is part of the commercial nginx only.
 */
function proxying(port: number): string {
	const { port: resolver } = names.address() as AddressInfo
	const kept = 'proxy_http_version 1.1; proxy_set_header Connection "";'
	return `upstream kept { server 127.0.0.1:${port}; keepalive 64; }
	limit_req_zone $binary_remote_addr zone=pace:1m rate=200r/s;
	proxy_cache_path PREFIX/cache keys_zone=one:1m;
	server { listen 127.0.0.1:PORT; resolver 127.0.0.1:${resolver} ipv6=off; location = / { return 200; }
		location ~ ^/front/immediate/(?<id>.*)$ { ${kept} proxy_pass http://kept/back/$id; }
		location ~ ^/front/await/(?<id>.*)$ { auth_request /first; ${kept} proxy_pass http://kept/back/$id; }
		location = /first { internal; ${kept} proxy_pass http://kept/first/$id; }
		location ~ ^/front/timer/(?<id>.*)$ { limit_req zone=pace burst=1000; ${kept} proxy_pass http://kept/back/$id; }
		location ~ ^/front/file/(?<id>.*)$ { ssi on; default_type text/html; try_files /including.html =404; }
		location ~ ^/included/(?<id>.*)$ { internal; ${kept} proxy_pass http://kept/back/$id; }
		location ~ ^/front/dns/(?<id>.*)$ { proxy_pass http://$id.test:${port}/back/$id; }
		location ~ ^/front/queued/(?<id>.*)$ { proxy_cache one; proxy_cache_key all; proxy_cache_lock on; proxy_cache_lock_timeout 1s; ${kept} proxy_pass http://kept/back/$id; }
		location ~ ^/front/new_connection/(?<id>.*)$ { proxy_pass http://127.0.0.1:${port}/back/$id; } }`
}

/** A name server that knows one answer: 127.0.0.1, not to be kept. */
async function startNames(): Promise<Socket> {
	const socket = createSocket('udp4')
	socket.on('message', (question, from) => {
		const flags = Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
		const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1])
		socket.send(Buffer.concat([question.subarray(0, 2), flags, question.subarray(12), answer]), from.port)
	})
	await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
	return socket
}

describe.each(runtimes)('parents of what $name calls, 32 requests in flight', (runtime) => {
	let back: Server
	let front: Server
	let vor: Vor

	beforeAll(async () => {
		back = await startNode()
		front = await runtime.start(back)
		vor = await startVor(
			stages({ endpoint: collector.endpoint, ringbuf: selecting({ ports: [back.port, front.port] }) }),
		)
	})
	afterAll(async () => {
		await vor?.stop()
		await front?.stop()
		await back?.stop()
	})

	it.each(scenarios.map((name) => ({ name })))(
		'are right or absent: $name',
		async ({ name }) => {
			const ids: string[] = []
			const agent = new http.Agent({ keepAlive: true, maxSockets: inFlight })
			for (let round = 0; round < rounds; round++) {
				const batch = Array.from({ length: inFlight }, (_, i) => `${runtime.name}-${name}-${round}-${i}`)
				ids.push(...batch)
				await Promise.all(batch.map((id) => get(`${front.url}/front/${name}/${id}`, agent)))
			}
			agent.destroy()
			const row: Row = { right: 0, wrong: 0, absent: 0 }
			const spans = await eventually(
				() => {
					const all = collector.traces()
					const backs = all.filter(
						(span) => span.kind === 'client' && ids.includes(idOf(span.attributes['url.full'], '/back/')),
					)
					const fronts = all.filter(
						(span) =>
							span.kind === 'server' && ids.includes(idOf(span.attributes['url.path'], `/front/${name}/`)),
					)
					return backs.length >= ids.length && fronts.length >= ids.length ? { backs, fronts } : undefined
				},
				() => `spans of ${name} did not all arrive\n${vor.stderr()}`,
				60_000,
			)
			const bySpanId = new Map(
				spans.fronts.map((span) => [span.spanId, idOf(span.attributes['url.path'], `/front/${name}/`)]),
			)
			for (const span of spans.backs) {
				if (span.parentSpanId === '') row.absent++
				else if (bySpanId.get(span.parentSpanId) === idOf(span.attributes['url.full'], '/back/')) row.right++
				else row.wrong++
			}
			table[runtime.name] ??= {}
			table[runtime.name]![name] = row
			expect(row.wrong).toBe(0)
			expect(row.right + row.absent).toBe(ids.length)
			if (runtime.exact.includes(name)) expect(row.absent).toBe(0)
		},
		120_000,
	)
})

function idOf(value: unknown, marker: string): string {
	const text = String(value ?? '')
	const at = text.indexOf(marker)
	return at < 0 ? '' : text.slice(at + marker.length)
}

function get(url: string, agent: http.Agent): Promise<number> {
	return new Promise((resolve, reject) => {
		http
			.get(url, { agent }, (response) => {
				response.resume()
				response.on('end', () => resolve(response.statusCode ?? 0))
			})
			.on('error', reject)
	})
}
