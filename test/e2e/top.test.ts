import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TopService, TopSnapshot } from '../../src/server/top-snapshot.ts'
import { startTlsServer } from '../helpers/recording.ts'
import { selecting, stages } from './support/pipelines.ts'
import { run, startProgram } from './support/process.ts'
import { buildLoadMaker, type Server, startNginx, startNode, startPython } from './support/programs.ts'
import { eventually, runVor, startVor, type Vor } from './support/vor.ts'

const rate = 300
const tlsConnections = 7

describe('vor top beside a running Vör', () => {
	let node: Server
	let python: Server
	let nginx: Server
	let tls: Awaited<ReturnType<typeof startTlsServer>>
	let vor: Vor
	let address: string

	beforeAll(async () => {
		node = await startNode()
		python = await startPython({ UPSTREAM: node.url })
		nginx = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }')
		tls = await startTlsServer()
		const ports = [node.port, python.port, nginx.port, tls.port]
		vor = await startVor(stages({ ringbuf: selecting({ ports }) }))
		address = new URL(vor.url).host
	})
	afterAll(async () => {
		await vor?.stop()
		for (const server of [node, python, nginx, tls]) await server?.stop()
	})

	async function top(): Promise<TopSnapshot> {
		const { code, stdout, stderr } = await runVor(['top', '--json', `--address=${address}`])
		expect(code, stderr).toBe(0)
		return JSON.parse(stdout) as TopSnapshot
	}
	const of = (snapshot: TopSnapshot, name: string) =>
		snapshot.services.find(({ service }) => service === name) as TopService

	it('shows who serves and calls, with numbers that fit what was sent', async () => {
		for (let i = 0; i < 20; i++)
			await run('curl', ['-sS', '-o', '/dev/null', `${python.url}/front/pass/slow/60/${i}`])
		for (let i = 0; i < 5; i++) await run('curl', ['-sS', '-o', '/dev/null', `${node.url}/status/500/${i}`])
		const load = startProgram(await buildLoadMaker(), [String(nginx.port), '4', String(rate), '20', '/'])
		await eventually(
			async () => (of(await top(), 'nginx')?.in ? true : undefined),
			() => vor.stderr(),
		)
		await new Promise((resolve) => setTimeout(resolve, 3000))
		const during = await top()
		expect(load.child.exitCode, 'the load has ended too early').toBe(null)
		await load.exited
		const [, sent] = load.stdout().match(/sent (\d+) completed \d+ errors 0 other 0/) ?? []

		const busy = of(during, 'nginx')
		expect(during.windowSeconds).toBeGreaterThan(0)
		// A load maker on a busy machine may fall behind; it never makes more than it was told to.
		expect(busy.in!.requestsPerSecond).toBeGreaterThan(rate / 10)
		expect(busy.in!.requestsPerSecond).toBeLessThan(rate * 1.5)
		expect(busy.in!.errorRatio).toBe(0)

		const after = await eventually(
			async () => {
				const now = await top()
				return of(now, 'nginx').in!.requests >= Number(sent) ? now : undefined
			},
			() => vor.stderr(),
		)
		expect(of(after, 'nginx').in!.requests).toBe(Number(sent))
		const middle = of(after, 'python_server')
		expect(middle).toMatchObject({
			language: 'python',
			in: { requests: 20, errors: 0 },
			out: { requests: 20, errors: 0 },
		})
		const last = of(after, 'node-server')
		expect(last).toMatchObject({ language: 'nodejs', in: { requests: 25, errors: 5 } })
		expect(last.out).toBeNull()
		expect(after.spans).toBeGreaterThanOrEqual(Number(sent) + 65)
		expect(after.dropped).toEqual([])
	}, 180_000)

	it('gives quantiles of the time it takes, from the program that sleeps 60 ms', async () => {
		// A new sampler has no window: all since the start, in which the slow answers are.
		for (let i = 0; i < 10; i++)
			await run('curl', ['-sS', '-o', '/dev/null', `${python.url}/front/pass/slow/60/q${i}`])
		const { in: python_in } = await eventually(
			async () => {
				const service = of(await top(), 'python_server')
				return service.in!.requests >= 30 && service.in!.p50 !== null ? service : undefined
			},
			() => vor.stderr(),
		)
		const { p50, p99 } = python_in!
		expect(p50!.seconds).toBeGreaterThanOrEqual(0.05)
		expect(p99!.seconds).toBeGreaterThanOrEqual(p50!.seconds)
	}, 60_000)

	it('shows connections that cannot be read, in the table too', async () => {
		for (let i = 0; i < tlsConnections; i++) {
			const { code, stderr } = await run('curl', [
				'-ksS',
				'-o',
				'/dev/null',
				`https://127.0.0.1:${tls.port}/${i}`,
			])
			expect(code, stderr).toBe(0)
		}
		const shop = await eventually(
			async () => {
				const service = of(await top(), 'tls-shop')
				return (service?.unreadable[0]?.connections ?? 0) >= tlsConnections ? service : undefined
			},
			() => vor.stderr(),
		)
		expect(shop.unreadable).toEqual([{ protocol: 'tls', connections: tlsConnections }])
		expect(shop.in).toBeNull()
		expect(await vor.metric('vor_connections_total', { service_name: 'tls-shop', protocol: 'tls' })).toBe(
			tlsConnections,
		)
		const table = await runVor(['top', '--once', `--address=${address}`])
		expect(table.code).toBe(0)
		expect(table.stdout).toMatch(new RegExp(`tls-shop.*TLS, ${tlsConnections} connections`, 's'))
	}, 60_000)

	it('says where nobody answers', async () => {
		const { code, stderr } = await runVor(['top', '--json', '--address=127.0.0.1:1'])
		expect(code).toBe(1)
		expect(stderr).toMatch(/no Vör answers at http:\/\/127\.0\.0\.1:1/)
	})
})
