import http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, type JudgeSpan, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { type Server, startNginx, startNode, startPython } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

let collector: Judge

beforeAll(async () => {
	collector = await startJudge()
}, 900_000)
afterAll(() => collector?.stop())

interface Passed {
	readonly python: string
	readonly node: string
	/** Without the time. */
	readonly client: readonly string[]
}

const plain = 'proxy_http_version 1.0;'
const kept = 'proxy_http_version 1.1; proxy_set_header Connection "";'

describe.each([
	{ name: 'without upstream keep-alive', mark: 'plain', location: plain, upstream: '' },
	{ name: 'with upstream keep-alive', mark: 'kept', location: kept, upstream: 'keepalive 64;' },
])('nginx to Python to Node $name', ({ mark, location, upstream }) => {
	let node: Server
	let python: Server
	let nginx: Server
	let vor: Vor
	/** What every program was sent and the client got back while nobody looked. */
	let untouched: Passed

	beforeAll(async () => {
		node = await startNode({ HEADERS: '1' })
		python = await startPython({ UPSTREAM: node.url, HEADERS: '1' })
		nginx = await startNginx(
			`upstream python { server 127.0.0.1:${python.port}; ${upstream} }
			server { listen 127.0.0.1:PORT; location = / { return 200; } location / { proxy_pass http://python; proxy_read_timeout 60s; ${location} } }`,
		)
		untouched = await pass(`untouched-${mark}`)
		vor = await startVor(
			stages({
				endpoint: collector.endpoint,
				ringbuf: selecting({ ports: [node.port, python.port, nginx.port] }),
			}),
		)
	})
	afterAll(async () => {
		await vor?.stop()
		for (const server of [nginx, python, node]) await server?.stop()
	})

	/** Sends one request through all three, with a header that each passes on or not as it always does. */
	async function pass(id: string): Promise<Passed> {
		const headers = await new Promise<string[]>((resolve, reject) => {
			http
				.get(`${nginx.url}/front/pass/${id}`, { agent: false, headers: { 'X-Mine': 'yes' } }, (response) => {
					response.resume().on('end', () => resolve(response.rawHeaders))
				})
				.on('error', reject)
		})
		const said = async (program: Server, path: string): Promise<string> =>
			(await program.waitFor(new RegExp(`headers ${path} (.*)\n`)))[1] as string
		const at = headers.indexOf('Date')
		return {
			python: await said(python, `/front/pass/${id}`),
			node: await said(node, `/${id}`),
			client: headers.filter((_, i) => i !== at + 1),
		}
	}

	/** The five spans of one request: nginx server and client, python server and client, node server. */
	async function chain(id: string, timeoutMs?: number): Promise<JudgeSpan[]> {
		const mine = () =>
			collector
				.traces()
				.filter((span) =>
					String(span.attributes['url.path'] ?? span.attributes['url.full']).endsWith(`/${id}`),
				)
		await eventually(
			() => (mine().length >= 5 ? true : undefined),
			() =>
				`${mine().length} of 5 spans of ${id}: ${JSON.stringify(mine().map((s) => [s.service, s.kind]))}\n${vor.stderr()}`,
			timeoutMs,
		)
		const order = [
			['nginx', 'server'],
			['nginx', 'client'],
			['python_server', 'server'],
			['python_server', 'client'],
			['node-server', 'server'],
		]
		return order.map(([service, kind]) => {
			const found = mine().filter((span) => span.service === service && span.kind === kind)
			expect(found, `${service} ${kind}`).toHaveLength(1)
			return found[0] as JudgeSpan
		})
	}

	function expectChain(spans: readonly JudgeSpan[], traceId: string, parent: string) {
		let above = parent
		for (const span of spans) {
			expect(span.traceId).toBe(traceId)
			expect(span.parentSpanId).toBe(above)
			above = span.spanId
		}
	}

	it('is one trace of three services from the very first request on', async () => {
		expect(await get(`${nginx.url}/front/pass/one-${mark}`)).toBe(200)
		const spans = await chain(`one-${mark}`)
		expectChain(spans, spans[0]!.traceId, '')
		expect(spans[0]!.traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/)
	})

	it('goes on in the trace of an inbound traceparent', async () => {
		const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
		const parent = '00f067aa0ba902b7'
		await get(`${nginx.url}/front/pass/two-${mark}`, { traceparent: `00-${traceId}-${parent}-01` })
		expectChain(await chain(`two-${mark}`), traceId, parent)
	})

	it('holds while the last answer takes 10 s', async () => {
		await get(`${nginx.url}/front/pass/slow/10000/late-${mark}`)
		const spans = await chain(`late-${mark}`)
		expectChain(spans, spans[0]!.traceId, '')
	}, 90_000)

	it('changes no byte of a head: every program and the client get what they got without Vör', async () => {
		expect(untouched.python).toContain('"X-Mine", "yes"')
		expect(untouched.client.length).toBeGreaterThan(6)
		expect(await pass(`touched-${mark}`)).toEqual(untouched)
		const spans = await chain(`touched-${mark}`)
		expectChain(spans, spans[0]!.traceId, '')
	})

	it('keeps 64 requests in flight apart', async () => {
		const ids = Array.from({ length: 64 }, (_, i) => `many-${mark}-${i}`)
		await Promise.all(ids.map((id) => get(`${nginx.url}/front/pass/slow/200/${id}`)))
		const traces = new Set<string>()
		for (const id of ids) {
			const spans = await chain(id)
			expectChain(spans, spans[0]!.traceId, '')
			traces.add(spans[0]!.traceId)
		}
		expect(traces.size).toBe(64)
	}, 120_000)
})

function get(url: string, headers: Record<string, string> = {}): Promise<number> {
	return new Promise((resolve, reject) => {
		http
			.get(url, { headers, agent: false }, (response) => {
				response.resume()
				response.on('end', () => resolve(response.statusCode ?? 0))
			})
			.on('error', reject)
	})
}
