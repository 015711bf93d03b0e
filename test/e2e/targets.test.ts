import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, type JudgeSpan, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import type { Server } from './support/programs.ts'
import { startC, startGo, startJava, startNginx, startNode, startPython } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

const execute = promisify(execFile)

interface Case {
	readonly method: string
	readonly path: string
	/** Bytes sent as the request's body. */
	readonly body?: number
}

/** What curl itself saw. */
interface Truth extends Case {
	readonly status: number
	readonly download: number
}

/** As configured: a span of a path has the route that stands for it. */
const PLACEHOLDERS: Readonly<Record<string, string>> = { status: 'code', size: 'bytes', chunked: 'pieces' }
const ROUTES = [
	...['/hello', '/post'],
	...Object.entries(PLACEHOLDERS).map(([first, placeholder]) => `/${first}/:${placeholder}`),
]

const everywhere: Case[] = [
	{ method: 'GET', path: '/hello' },
	{ method: 'GET', path: '/status/404' },
	{ method: 'GET', path: '/status/503' },
	{ method: 'POST', path: '/post', body: 1000 },
	{ method: 'POST', path: '/post', body: 100_000 },
]
const framed: Case[] = [
	{ method: 'GET', path: '/status/204' },
	{ method: 'GET', path: '/size/100000' },
	{ method: 'HEAD', path: '/size/10' },
	{ method: 'PUT', path: '/post', body: 1 },
]
const chunked: Case[] = [{ method: 'GET', path: '/chunked/5' }]

interface Target {
	readonly name: string
	readonly service: string
	readonly language: string
	readonly start: () => Promise<Server & { readonly behind?: number }>
	/** It asks another server, at port `behind`. */
	readonly isProxy?: true
	readonly cases: readonly Case[]
}

const targets: Target[] = [
	{
		name: 'Node http',
		service: 'node-server',
		language: 'nodejs',
		start: () => startNode(),
		cases: [...everywhere, ...framed, ...chunked],
	},
	{
		name: 'Python http.server',
		service: 'python_server',
		language: 'python',
		start: () => startPython(),
		cases: [...everywhere, ...framed],
	},
	{
		name: 'Python http.server without keep-alive',
		service: 'python_server',
		language: 'python',
		start: () => startPython({ PROTOCOL: 'HTTP/1.0' }),
		cases: [...everywhere, ...framed],
	},
	{
		name: 'Go net/http',
		service: 'go-server',
		language: 'go',
		start: () => startGo(),
		cases: [...everywhere, ...framed, ...chunked],
	},
	{
		name: 'Java HttpServer',
		service: 'JavaServer',
		language: 'java',
		start: () => startJava(),
		cases: [...everywhere, ...framed, ...chunked],
	},
	{ name: 'a C server', service: 'c-server', language: 'generic', start: () => startC(), cases: everywhere },
	{
		name: 'nginx',
		service: 'nginx',
		language: 'generic',
		start: () =>
			startNginx(
				'client_max_body_size 10m; server { listen 127.0.0.1:PORT; location /status/404 { return 404 no; } location /status/503 { return 503 no; } location /hello { alias PREFIX/html/index.html; } location /status/204 { return 204; } location / { return 200 yes; } }',
			),
		cases: [
			...everywhere.slice(0, 3),
			{ method: 'GET', path: '/status/204' },
			{ method: 'HEAD', path: '/hello' },
		],
	},
	{
		name: 'nginx as a proxy',
		service: 'nginx',
		language: 'generic',
		start: startProxy,
		isProxy: true,
		cases: [...everywhere, ...framed, ...chunked],
	},
]

/** nginx in front of a Node server, which ends with it. */
async function startProxy(): Promise<Server & { readonly behind: number }> {
	const node = await startNode()
	const nginx = await startNginx(
		`server { listen 127.0.0.1:PORT; location / { proxy_pass http://127.0.0.1:${node.port}; proxy_http_version 1.1; proxy_set_header Connection ""; } }`,
	)
	const { stop } = nginx
	return Object.assign(nginx, {
		behind: node.port,
		async stop(signal?: NodeJS.Signals) {
			await node.stop()
			return stop(signal)
		},
	})
}

/** One curl process per case, its number in the query. */
async function request(server: Server, test: Case, n: number): Promise<Truth> {
	const args = [
		'-sS',
		'-o',
		'/dev/null',
		'-w',
		'%{http_code} %{size_download}',
		`${server.url}${test.path}?n=${n}`,
	]
	if (test.method === 'HEAD') args.push('-I')
	else args.push('-X', test.method)
	if (test.body !== undefined) args.push('-H', 'Expect:', '--data-binary', 'x'.repeat(test.body))
	const { stdout } = await execute('curl', args)
	const [status, download] = stdout.split(' ').map(Number)
	return { ...test, status: status ?? 0, download: download ?? 0 }
}

let collector: Judge

beforeAll(async () => {
	collector = await startJudge()
}, 900_000)
afterAll(() => collector?.stop())

describe.each(targets)('$name', (target) => {
	let server: Server & { readonly behind?: number }
	let vor: Vor
	let truths: Truth[]
	let spans: JudgeSpan[]

	beforeAll(async () => {
		server = await target.start()
		vor = await startVor(
			stages({
				endpoint: collector.endpoint,
				ringbuf: selecting({ ports: [server.port], executables: ['*/curl'] }),
				correlate: `routes {\n\t\tpatterns = ${JSON.stringify(ROUTES)}\n\t}`,
			}),
		)
		truths = []
		for (const [n, test] of target.cases.entries()) truths.push(await request(server, test, n))
		const mine = () => collector.traces().filter((span) => span.attributes['server.port'] === server.port)
		await eventually(
			() => (mine().length >= 2 * truths.length ? true : undefined),
			async () => `${mine().length} of ${2 * truths.length} spans\n${vor.stderr()}\n${await vor.losses()}`,
		)
		spans = mine()
	})
	afterAll(async () => {
		await vor?.stop()
		await server?.stop()
	})

	it('has one server and one client span for every request and no other', () => {
		expect(spans.filter((span) => span.kind === 'server')).toHaveLength(truths.length)
		expect(spans.filter((span) => span.kind === 'client')).toHaveLength(truths.length)
	})

	it('names the service, its language and the client', () => {
		for (const span of spans) {
			if (span.kind === 'client') expect(span.service).toBe('curl')
			else {
				expect(span.service).toBe(target.service)
				if (target.language !== 'generic')
					expect(span.resource['telemetry.sdk.language']).toBe(target.language)
			}
		}
	})

	it('tells method, path, status and sizes as they were', () => {
		for (const [n, truth] of truths.entries()) {
			for (const kind of ['server', 'client'] as const) {
				const span = pick(spans, kind, n)
				const attributes = span.attributes
				expect(attributes['http.request.method']).toBe(truth.method)
				expect(attributes['http.response.status_code']).toBe(truth.status)
				expect(attributes['http.request.body.size']).toBe(truth.body ?? 0)
				expect(attributes['http.response.body.size']).toBe(truth.method === 'HEAD' ? 0 : truth.download)
				expect(attributes['network.peer.address']).toBe('127.0.0.1')
				expect(span.status).toBe(truth.status >= (kind === 'server' ? 500 : 400) ? 'error' : 'unset')
				expect(span.endNs >= span.startNs).toBe(true)
			}
			const { attributes } = pick(spans, 'server', n)
			expect(attributes['url.path']).toBe(truth.path)
			const route = truth.path.replace(
				/\d+$/,
				(digits) => `:${PLACEHOLDERS[truth.path.split('/')[1] ?? ''] ?? digits}`,
			)
			expect(ROUTES).toContain(route)
			expect(attributes['http.route']).toBe(route)
			for (const kind of ['server', 'client'] as const)
				expect(pick(spans, kind, n).name).toBe(`${truth.method} ${route}`)
			expect(pick(spans, 'client', n).attributes['url.full']).toBe(`${server.url}${truth.path}?n=${n}`)
		}
	})

	if (target.isProxy === true)
		it('has one client span for every request that it passed on, the child of its own server span', async () => {
			const passed = () =>
				collector
					.traces()
					.filter(
						({ kind, service, attributes }) =>
							kind === 'client' && service === 'nginx' && attributes['server.port'] === server.behind,
					)
			await eventually(
				() => (passed().length >= truths.length ? true : undefined),
				() => `${passed().length} of ${truths.length} spans\n${vor.stderr()}`,
			)
			expect(passed()).toHaveLength(truths.length)
			for (const [n, truth] of truths.entries()) {
				const { attributes, traceId, parentSpanId } = pick(passed(), 'client', n)
				expect(String(attributes['url.full'])).toMatch(new RegExp(`${truth.path}\\?n=${n}$`))
				expect(attributes['http.request.method']).toBe(truth.method)
				expect(attributes['http.response.status_code']).toBe(truth.status)
				expect(attributes['http.request.body.size']).toBe(truth.body ?? 0)
				expect(attributes['http.response.body.size']).toBe(truth.method === 'HEAD' ? 0 : truth.download)
				const own = pick(spans, 'server', n)
				expect([traceId, parentSpanId]).toEqual([own.traceId, own.spanId])
			}
		})

	it('makes the server span the child of its client span', () => {
		for (const n of truths.keys()) {
			const client = pick(spans, 'client', n)
			const own = pick(spans, 'server', n)
			expect(own.traceId).toBe(client.traceId)
			expect(own.parentSpanId).toBe(client.spanId)
			expect(client.parentSpanId).toBe('')
		}
	})
})

function pick(spans: readonly JudgeSpan[], kind: string, n: number): JudgeSpan {
	const found = spans.filter((span) => {
		const query = span.attributes['url.query'] ?? String(span.attributes['url.full'] ?? '').split('?')[1]
		return span.kind === kind && query === `n=${n}`
	})
	expect(found).toHaveLength(1)
	return found[0] as JudgeSpan
}
