import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programsOf, stillLoaded } from './support/bpf.ts'
import { type Judge, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { run, startProgram } from './support/process.ts'
import { freePort, type Server, startNode, startPython } from './support/programs.ts'
import { eventually, mainJs, startVor } from './support/vor.ts'

let node: Server
let python: Server
let judge: Judge
let hole: TcpServer

beforeAll(async () => {
	node = await startNode({ HEADERS: '1' })
	python = await startPython({ UPSTREAM: node.url })
	judge = await startJudge()
	// Accepts connections and answers nothing: a backend that hangs.
	hole = createServer(() => {})
	await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve))
}, 900_000)
afterAll(async () => {
	await node?.stop()
	await python?.stop()
	await judge?.stop()
	hole?.close()
})

const holePort = () => (hole.address() as { port: number }).port
const curls = (count: number, name: string) =>
	run('curl', ['-sS', '-o', '/dev/null', `${node.url}/${name}/[1-${count}]`])

describe('the end of vor run', () => {
	it('sends what waits on SIGTERM, says that nothing was left, and ends with 0', async () => {
		const vor = await startVor(
			// Nothing is sent before the end: the queue waits for a batch that never gets full.
			stages({
				endpoint: judge.endpoint,
				ringbuf: selecting({ ports: [node.port] }),
				interval: '1h',
			}).replace(
				'client {',
				'sending_queue {\n\t\tbatch {\n\t\t\tflush_timeout = "1h"\n\t\t\tmin_size = 100000\n\t\t\tmax_size = 0\n\t\t}\n\t}\n\n\tclient {',
			),
		)
		const ids = programsOf(vor.pid)
		expect(ids.length).toBeGreaterThan(5)
		await curls(200, 'waiting')
		await eventually(
			async () =>
				(await vor.metric('http_server_request_duration_seconds_count', { service_name: 'node-server' })) >=
				200
					? true
					: undefined,
			() => vor.stderr(),
		)
		const mine = () =>
			judge
				.traces()
				.filter(
					(span) => String(span.attributes['url.path']).startsWith('/waiting/') && span.kind === 'server',
				)
		expect(mine()).toEqual([])
		const code = await vor.stop('SIGTERM')
		expect(code, vor.stderr()).toBe(0)
		expect(vor.stderr()).toMatch(/msg="?shutting down"? signal=SIGTERM/)
		expect(vor.stderr()).toMatch(/level=info msg=stopped clean=true left=0 dropped=0/)
		await eventually(
			() => (mine().length === 200 ? true : undefined),
			() => `${mine().length} of 200 spans`,
		)
		// Its last metrics too: the interval was an hour.
		await judge.collector.waitForMetrics((metrics) =>
			metrics.some(
				(metric) =>
					metric.name === 'http.server.request.duration' &&
					metric.points.some((point) => point.count === 200n),
			),
		)
		expect(stillLoaded(ids)).toEqual([])
	}, 60_000)

	it('gives up a backend that hangs, says what was left, and still ends with 0', async () => {
		const vor = await startVor(
			stages({ endpoint: `127.0.0.1:${holePort()}`, ringbuf: selecting({ ports: [node.port] }) }),
		)
		const ids = programsOf(vor.pid)
		await curls(100, 'hanging')
		await eventually(
			async () =>
				(await vor.metric('vor_component_received_total', { component_id: 'otelcol.exporter.otlp.judge' })) >=
				100
					? true
					: undefined,
			() => vor.stderr(),
		)
		const before = performance.now()
		const code = await vor.stop('SIGTERM')
		const took = performance.now() - before
		expect(code, vor.stderr()).toBe(0)
		const [, left, dropped] = vor.stderr().match(/level=warn msg=stopped .*left=(\d+) dropped=(\d+)/) ?? []
		expect(Number(left) + Number(dropped), vor.stderr()).toBeGreaterThanOrEqual(100)
		expect(vor.stderr()).toMatch(/level=warn msg="stopped before everything was sent".*lost_items=\d+/)
		// 5 s by promise; the machine is shared, but the 20 s of the harness' SIGKILL must never be needed.
		expect(took).toBeLessThan(9500)
		expect(stillLoaded(ids)).toEqual([])
	}, 60_000)

	it('comes at once with a second signal', async () => {
		const vor = await startVor(
			stages({ endpoint: `127.0.0.1:${holePort()}`, ringbuf: selecting({ ports: [node.port] }) }),
		)
		const ids = programsOf(vor.pid)
		await curls(50, 'impatient')
		await eventually(
			async () =>
				(await vor.metric('vor_component_received_total', { component_id: 'otelcol.exporter.otlp.judge' })) >=
				50
					? true
					: undefined,
			() => vor.stderr(),
		)
		vor.child.kill('SIGTERM')
		await vor.waitFor(/shutting down/)
		vor.child.kill('SIGTERM')
		expect(await vor.exited).toBe(1)
		expect(vor.stderr()).not.toContain('msg=stopped')
		await vor.stop()
		await eventually(
			() => (stillLoaded(ids).length === 0 ? true : undefined),
			() => JSON.stringify(stillLoaded(ids)),
		)
	}, 60_000)

	it('has requests that are under way in it: none is invented and none is held for ever', async () => {
		const vor = await startVor(
			stages({ endpoint: judge.endpoint, ringbuf: selecting({ ports: [node.port] }) }),
		)
		const slow = run('curl', ['-sS', '-o', '/dev/null', `${node.url}/slow/10000/under-way`])
		await node.waitFor(/headers \/slow\/10000\/under-way/)
		expect(await vor.stop()).toBe(0)
		expect(Number(/msg=stopped .*under_way=(\d+)/.exec(vor.stderr())?.[1])).toBeGreaterThanOrEqual(1)
		expect((await slow).code).toBe(0)
		await new Promise((resolve) => setTimeout(resolve, 500))
		expect(judge.traces().filter((span) => span.attributes['url.path'] === '/slow/10000/under-way')).toEqual(
			[],
		)
	}, 60_000)
})

describe('/-/ready', () => {
	it('says no until the probes are attached, and a request right after yes is seen', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'vor-ready-'))
		const port = await freePort()
		const file = join(folder, 'config.alloy')
		writeFileSync(file, stages({ ringbuf: selecting({ ports: [node.port] }) }))
		const url = `http://127.0.0.1:${port}`
		const args = ['run', file, `--server.http.listen-addr=127.0.0.1:${port}`, `--storage.path=${folder}/data`]
		const vor = startProgram(process.execPath, [mainJs, ...args])
		try {
			const answers: number[] = []
			await eventually(
				async () => {
					const status = await fetch(`${url}/-/ready`).then(
						(response) => response.status,
						() => 0,
					)
					if (status === 0) return undefined
					// Attached is said in the log before it is said here.
					const attached = vor.stderr().includes('msg=attached')
					answers.push(status)
					if (status === 200) expect(attached).toBe(true)
					return status === 200 ? true : undefined
				},
				() => vor.stderr(),
				60_000,
			)
			expect(new Set(answers)).toEqual(new Set([503, 200]))
			await run('curl', ['-sS', '-o', '/dev/null', `${node.url}/ready`])
			await eventually(
				async () => {
					const text = await (await fetch(`${url}/metrics`)).text()
					return /http_server_request_duration_seconds_count\{[^}]*service_name="node-server"[^}]*\} 1\n/.test(
						text,
					)
						? true
						: undefined
				},
				() => vor.stderr(),
			)
		} finally {
			await vor.stop()
			rmSync(folder, { recursive: true, force: true })
		}
	}, 90_000)
})
