import http from 'node:http'
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

const table: Record<string, Record<string, Row>> = {}
let collector: Judge

beforeAll(async () => {
	collector = await startJudge()
}, 900_000)
afterAll(async () => {
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
	readonly scenarios: readonly string[]
	readonly start: (back: Server) => Promise<Server>
}

const runtimes: Runtime[] = [
	{ name: 'node', exact: [], scenarios, start: (back) => startNode({ UPSTREAM: back.url }) },
	{ name: 'go', exact: [], scenarios, start: (back) => startGo({ UPSTREAM: back.url }) },
	{
		name: 'python',
		exact: scenarios,
		scenarios,
		start: (back) => startPython({ UPSTREAM: back.url }),
	},
	{
		name: 'nginx',
		exact: ['immediate', 'new_connection'],
		scenarios: ['immediate', 'new_connection'],
		start: (back) =>
			startNginx(
				`upstream kept { server 127.0.0.1:${back.port}; keepalive 64; }
				server { listen 127.0.0.1:PORT; location = / { return 200; }
					location /front/immediate/ { rewrite ^/front/immediate/(.*)$ /back/$1 break; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://kept; }
					location /front/new_connection/ { rewrite ^/front/new_connection/(.*)$ /back/$1 break; proxy_pass http://127.0.0.1:${back.port}; } }`,
				{ workers: 2 },
			),
	},
]

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

	it.each(runtime.scenarios.map((name) => ({ name })))(
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
				30_000,
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
		60_000,
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
