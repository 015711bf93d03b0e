import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, type JudgeSpan, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { startNode, type Server as TestServer } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

describe('the tracing block', () => {
	const folder = mkdtempSync(join(tmpdir(), 'vor-own-traces-'))
	const followed = join(folder, 'followed.txt')
	const seen: (string | undefined)[] = []
	let judge: Judge
	let modules: Server
	let server: TestServer
	let vor: Vor

	const pipeline = (tag: string, fraction = '1'): string => `
tracing {
	sampling_fraction = ${fraction}
	send_traceparent  = true
	write_to          = [otelcol.exporter.otlp.judge.input]
}

otelcol.exporter.otlp "judge" {
	client {
		endpoint = "${judge.endpoint}"

		tls {
			insecure = true
		}
	}
}

local.file "followed" {
	filename = "${followed}"
}

import.http "ns" {
	url            = "http://user:s3cr3t@127.0.0.1:${(modules.address() as AddressInfo).port}/m?token=s3cr3t"
	poll_frequency = "1h"
}

ns.echo "one" {
	text = local.file.followed.content
}
// ${tag}
`
	beforeAll(async () => {
		judge = await startJudge()
		server = await startNode()
		writeFileSync(followed, 'first')
		modules = createServer((request, response) => {
			seen.push(String(request.headers['traceparent']))
			response.end(
				'declare "echo" {\n\targument "text" { }\n\n\texport "text" {\n\t\tvalue = argument.text.value\n\t}\n}\n',
			)
		})
		await new Promise<void>((done) => modules.listen(0, '127.0.0.1', done))
		vor = await startVor(pipeline('one'))
	})
	afterAll(async () => {
		await vor?.stop()
		await judge?.stop()
		await server?.stop()
		modules?.close()
		rmSync(folder, { recursive: true, force: true })
	})

	const where = () =>
		`${JSON.stringify(judge.traces().map(({ name, attributes }) => [name, attributes]))}\n${vor.stderr()}`
	const find = (check: (spans: JudgeSpan[]) => JudgeSpan | undefined) =>
		eventually(() => check(judge.traces()), where)
	/** Names from the root down to a span. */
	function pathOf(span: JudgeSpan, spans: JudgeSpan[]): string[] {
		const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
		return [...(parent === undefined ? [] : pathOf(parent, spans)), span.name]
	}

	it('sends what Vör did at its start, the load that brought the block included, as one trace', async () => {
		const load = await find((spans) => spans.find(({ name }) => name === 'LoadConfiguration'))
		expect(load).toMatchObject({ service: 'vor', kind: 'internal', status: 'ok', parentSpanId: '' })
		expect(load.attributes).toMatchObject({ 'vor.config.reload': false })
		expect(load.resource).toMatchObject({ 'process.pid': vor.pid, 'telemetry.sdk.name': 'vor' })
		const spans = judge.traces().filter(({ traceId }) => traceId === load.traceId)
		const nodes = spans
			.filter(({ name }) => name === 'EvaluateNode')
			.map(({ attributes }) => attributes['node_id'])
		for (const node of [
			'tracing',
			'otelcol.exporter.otlp.judge',
			'import.http.ns',
			'ns.echo.one',
			'export.text',
		])
			expect(nodes).toContain(node)
		const inner = spans.find(({ attributes }) => attributes['node_id'] === 'export.text')!
		expect(pathOf(inner, spans)).toEqual([
			'LoadConfiguration',
			'GraphEvaluate',
			'EvaluateNode',
			'GraphEvaluate',
			'EvaluateNode',
		])
		for (const span of spans) {
			expect(span.startNs).toBeGreaterThanOrEqual(load.startNs)
			expect(span.endNs).toBeGreaterThanOrEqual(span.startNs)
			expect(Math.abs(Number(span.startNs / 1_000_000n) - Date.now())).toBeLessThan(120_000)
		}
	})

	it('shows a module that was fetched, without what must not be shown', async () => {
		const fetched = await find((spans) => spans.find(({ name }) => name === 'FetchModule'))
		expect(fetched.attributes['vor.import.origin']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/m$/)
		// What the first load sent carried no header: whether to send one was not known yet.
		expect(seen[0]).toBe('undefined')
		expect(
			JSON.stringify(judge.traces(), (_, value) => (typeof value === 'bigint' ? String(value) : value)),
		).not.toContain('s3cr3t')
	})

	it('shows what a change at run time led to', async () => {
		writeFileSync(followed, 'second')
		const node = await find((spans) =>
			spans.find(
				({ name, attributes, traceId }) =>
					name === 'EvaluateNode' &&
					attributes['node_id'] === 'argument.text' &&
					spans.some((other) => other.traceId === traceId && other.name === 'SubmitDependantsForEvaluation'),
			),
		)
		const cause = judge.traces().find(({ spanId }) => spanId === node.parentSpanId)
		expect(cause).toMatchObject({ attributes: { controller_id: 'ns.echo.one' }, parentSpanId: '' })
	})

	it('shows a reload, and why it was refused', async () => {
		const file = join(vor.folder, 'config.alloy')
		writeFileSync(file, `${pipeline('two')}\nlocal.file "none" {\n\tfilename = "${folder}/none"\n}\n`)
		expect((await fetch(`${vor.url}/-/reload`)).status).toBe(400)
		const refused = await find((spans) =>
			spans.find(({ name, status }) => name === 'LoadConfiguration' && status === 'error'),
		)
		expect(refused.attributes['vor.config.reload']).toBe(true)
		const cause = await find((spans) =>
			spans.find(
				({ name, attributes, traceId }) =>
					traceId === refused.traceId &&
					name === 'EvaluateNode' &&
					attributes['node_id'] === 'local.file.none',
			),
		)
		expect(cause.status).toBe('error')
		writeFileSync(file, pipeline('three').replace('/m?', '/other?'))
		expect((await fetch(`${vor.url}/-/reload`)).status).toBe(200)
		const again = await find((spans) =>
			spans.find(({ attributes }) => String(attributes['vor.import.origin']).endsWith('/other')),
		)
		expect(seen.at(-1)).toBe(`00-${again.traceId}-${again.spanId}-01`)
	})

	it('shows requests that failed, and no request of its own sending', async () => {
		const file = join(vor.folder, 'config.alloy')
		writeFileSync(
			file,
			`${pipeline('exports')}
${stages({ ringbuf: selecting({ ports: [server.port] }), endpoint: '127.0.0.1:1' }).replaceAll('judge', 'nowhere')}`,
		)
		const answer = await fetch(`${vor.url}/-/reload`)
		expect(answer.status, await answer.text()).toBe(200)
		await fetch(`${server.url}/status/200`)
		const failed = await find((spans) => spans.find(({ name }) => name === 'ExportRequest'))
		expect(failed).toMatchObject({
			status: 'error',
			attributes: { component_path: '/', component_id: 'otelcol.exporter.otlp.nowhere' },
			parentSpanId: '',
		})
		const ids = judge
			.traces()
			.filter(({ name }) => name === 'ExportRequest')
			.map(({ attributes }) => attributes['component_id'])
		expect(new Set(ids)).toEqual(new Set(['otelcol.exporter.otlp.nowhere']))
	})

	it('is accounted for, and sends nothing once it is told to keep none', async () => {
		const file = join(vor.folder, 'config.alloy')
		writeFileSync(file, pipeline('four', '0'))
		expect((await fetch(`${vor.url}/-/reload`)).status).toBe(200)
		const total = (what: string) => vor.metric(`vor_component_${what}_total`, { component_id: 'tracing' })
		const received = await total('received')
		expect(received).toBeGreaterThan(20)
		expect(await total('sent')).toBe(received)
		writeFileSync(followed, 'third')
		expect((await fetch(`${vor.url}/-/reload`)).status).toBe(200)
		await eventually(() => (judge.traces().length >= received ? true : undefined), where)
		await new Promise((done) => setTimeout(done, 1500))
		expect(await total('received')).toBe(received)
		expect(judge.traces()).toHaveLength(received)
	})
})
