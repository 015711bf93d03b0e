import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Backend, startBackend } from '../export/backend.ts'
import { selecting, stages } from './support/pipelines.ts'
import { run } from './support/process.ts'
import { type Server as HttpServer, startNode } from './support/programs.ts'
import { eventually, mainJs, runVor, startVor, sumMetric, type Vor } from './support/vor.ts'

let folder: string
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'vor-bad-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
	const path = join(folder, name)
	writeFileSync(path, text)
	return path
}

/** Without root and without any capability. */
const asNobody = (...args: string[]) =>
	run('setpriv', [
		...['--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all'],
		...[process.execPath, mainJs, ...args],
	])

describe('bad input', () => {
	it('names a file that is not there and exits with 1', async () => {
		const result = await runVor(['run', join(folder, 'absent.alloy')])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain('absent.alloy')
		expect(result.stderr).toMatch(/no such file/i)
	})

	it('names a file that may not be read and exits with 1', async () => {
		const path = file('private.alloy', stages({}))
		chmodSync(folder, 0o755)
		chmodSync(path, 0o600)
		for (const command of ['run', 'validate']) {
			const result = await asNobody(command, path)
			expect(result.code).toBe(1)
			expect(result.stderr).toContain(`${path}: permission denied`)
		}
	})

	it('shows line, column and excerpt of an unknown component', async () => {
		const path = file('unknown.alloy', 'ebpf.ringbof "x" {\n}\n')
		const result = await runVor(['run', path])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain(
			`${path}:1:1: cannot find the definition of component name "ebpf.ringbof"`,
		)
		expect(result.stderr).toContain('1 | ebpf.ringbof "x" {')
	})

	it('shows a missing argument where it is missing', async () => {
		const path = file('missing.alloy', 'otelcol.exporter.otlp "x" {\n\tclient {\n\t}\n}\n')
		const result = await runVor(['run', path])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain('missing required attribute "endpoint"')
		expect(result.stderr).toContain(`Error: ${path}:1:1: `)
		expect(result.stderr).toContain('1 |   otelcol.exporter.otlp "x" {')
	})

	it('refuses to run without root, says which capabilities are missing, and how to get them', async () => {
		const path = file('plain.alloy', stages({}))
		chmodSync(folder, 0o755)
		chmodSync(path, 0o644)
		const result = await asNobody('run', path, `--storage.path=${tmpdir()}/vor-nobody`)
		expect(result.code).toBe(1)
		expect(result.stderr).toMatch(/CAP_BPF|root/)
		expect(result.stderr).toMatch(/sudo|setcap|AmbientCapabilities/)
	})

	it('names the one missing capability', async () => {
		const path = file('capability.alloy', stages({}))
		const result = await run('setpriv', [
			'--bounding-set=-perfmon,-sys_admin',
			'--inh-caps=-all',
			process.execPath,
			mainJs,
			'run',
			path,
			`--storage.path=${folder}/cap`,
		])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain('CAP_PERFMON')
	})

	it('names the port that is in use', async () => {
		const server = await new Promise<Server>((resolve) => {
			const made = createServer().listen(0, '127.0.0.1', () => resolve(made))
		})
		const address = server.address()
		const port = typeof address === 'object' && address !== null ? address.port : 0
		const path = file('port.alloy', stages({}))
		const result = await runVor([
			'run',
			path,
			`--server.http.listen-addr=127.0.0.1:${port}`,
			`--storage.path=${folder}/port`,
		])
		server.close()
		expect(result.code).toBe(1)
		expect(result.stderr).toContain(String(port))
		expect(result.stderr).toContain('--server.http.listen-addr')
	})

	it('refuses a second instance over the same storage', async () => {
		const vor = await startVor(stages({}))
		try {
			const second = await runVor([
				'run',
				join(vor.folder, 'config.alloy'),
				'--server.http.listen-addr=127.0.0.1:0',
				`--storage.path=${vor.folder}/data`,
			])
			expect(second.code).toBe(1)
			expect(second.stderr).toContain(String(vor.pid))
		} finally {
			await vor.stop()
		}
	})
})

describe('a backend', () => {
	const requests = 20
	const exporter = 'otelcol.exporter.otlp.judge'
	let target: HttpServer
	let vor: Vor | undefined
	let backend: Backend | undefined

	beforeAll(async () => {
		target = await startNode()
	})
	afterEach(async () => {
		await vor?.stop('SIGKILL')
		backend?.stop()
	})
	afterAll(() => target?.stop())

	/** Server spans of `requests` requests have reached the exporter of a Vör that sends to `endpoint`. */
	async function startSending(endpoint: string): Promise<Vor> {
		const started = await startVor(
			stages({ endpoint, interval: '1s', ringbuf: selecting({ ports: [target.port] }) }),
		)
		vor = started
		expect((await run('curl', ['-sSf', '-o', '/dev/null', `${target.url}/[1-${requests}]`])).code).toBe(0)
		await eventually(
			async () => ((await total(started, 'received_total')) >= requests ? true : undefined),
			() => started.stderr(),
		)
		return started
	}
	const total = (of: Vor, what: string, reason = '') =>
		of.metric(`vor_component_${what}`, { component_id: exporter, ...(reason === '' ? {} : { reason }) })
	const lines = (of: Vor, pattern: RegExp) =>
		of
			.stderr()
			.split('\n')
			.filter((line) => pattern.test(line))

	it('that is down is named once, everything waits for it, and what is left at the end is told', async () => {
		const sending = await startSending('127.0.0.1:1')
		// More readings have come and could not be sent either.
		await eventually(
			async () => ((await total(sending, 'held')) >= requests + 3 ? true : undefined),
			() => sending.stderr(),
		)
		const page = await sending.metrics()
		const of = (what: string) => sumMetric(page, `vor_component_${what}`, { component_id: exporter })
		expect([of('held'), of('sent_total'), of('dropped_total')]).toEqual([of('received_total'), 0, 0])
		expect((await fetch(`${sending.url}/-/healthy`)).status).toBe(200)
		// Spans and metrics have a line each.
		for (const signal of ['spans', 'metric_points']) {
			const said = lines(sending, new RegExp(`msg="export fails, will try again".*signal=${signal}`))
			expect(said, sending.stderr()).toHaveLength(1)
			expect(said[0]).toMatch(
				/level=warn .*endpoint="?127\.0\.0\.1:1"? .*code=UNAVAILABLE .*err=.*ECONNREFUSED/,
			)
		}
		expect(await sending.stop()).toBe(0)
		const lost = lines(sending, /msg="stopped before everything was sent"/)
		expect(lost).toHaveLength(1)
		expect(Number(/lost_items=(\d+)/.exec(lost[0] ?? '')?.[1])).toBeGreaterThanOrEqual(requests)
	}, 120_000)

	it('that refuses is named with its reason, and every item that it refused is counted', async () => {
		backend = await startBackend(() => ({ code: status.UNAUTHENTICATED, details: 'no such token' }))
		const sending = await startSending(backend.endpoint)
		const { received } = backend
		const refused = () => received.reduce((sum, { items }) => sum + items, 0)
		await eventually(
			async () =>
				(await total(sending, 'dropped_total')) >= requests &&
				received.some(({ signal }) => signal === 'traces') &&
				received.some(({ signal }) => signal === 'metrics')
					? true
					: undefined,
			() => sending.stderr(),
		)
		for (const signal of ['spans', 'metric_points']) {
			const said = lines(sending, new RegExp(`msg="export refused, data is dropped".*signal=${signal}`))
			expect(said, sending.stderr()).toHaveLength(1)
			expect(said[0]).toMatch(/level=warn .*code=UNAUTHENTICATED .*err=.*no such token/)
			expect(said[0]).toContain(backend.endpoint)
		}
		expect((await fetch(`${sending.url}/-/healthy`)).status).toBe(200)
		// One reading; an interval may pass between what the backend got and this page.
		await eventually(
			async () => {
				const before = refused()
				const dropped = await total(sending, 'dropped_total', 'refused')
				return dropped === before && refused() === before ? true : undefined
			},
			() => sending.stderr(),
		)
		expect(await total(sending, 'sent_total')).toBe(0)
		expect(await sending.stop()).toBe(0)
		expect(lines(sending, /msg=stopped/).join()).toMatch(/dropped=[1-9]/)
	}, 120_000)
})
