import http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { type Server, startNode } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

const count = 1000

describe('the server duration', () => {
	let collector: Judge
	let server: Server
	let vor: Vor

	beforeAll(async () => {
		collector = await startJudge()
		server = await startNode({ DURATIONS: '1' })
		vor = await startVor(
			stages({ endpoint: collector.endpoint, ringbuf: selecting({ ports: [server.port] }) }),
		)
	}, 900_000)
	afterAll(async () => {
		await vor?.stop()
		await server?.stop()
		await collector?.stop()
	})

	it('is what the program itself measured, and no shorter than the time it spent', async () => {
		const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
		/** ns from before the request was made to after its response was read, as the client saw it. */
		const waited = new Map<string, number>()
		await Promise.all(
			Array.from({ length: count }, async (_, i) => {
				const path = `/slow/${i % 20}/${i}`
				waited.set(path, await get(`${server.url}${path}`, agent))
			}),
		)
		agent.destroy()
		const mine = () =>
			collector
				.traces()
				.filter((span) => span.kind === 'server' && span.attributes['server.port'] === server.port)
		await eventually(
			() => (mine().length >= count ? true : undefined),
			() => `${mine().length} spans\n${vor.stderr()}`,
			60_000,
		)
		const own = new Map(
			[...server.stdout().matchAll(/took (\S+) (\d+)/g)].map((match) => [match[1], Number(match[2])]),
		)
		const differences: number[] = []
		for (const span of mine()) {
			const path = String(span.attributes['url.path'])
			const measured = own.get(path)
			expect(measured).toBeDefined()
			const ours = Number(span.endNs - span.startNs)
			differences.push((ours - (measured ?? 0)) / 1000)
			// However busy the machine: not shorter than the program slept (its timers round to 1 ms), nor longer than the client waited.
			expect(ours, path).toBeGreaterThan(Number(path.split('/')[2]) * 1e6 - 2e6)
			expect(ours, path).toBeLessThan(waited.get(path) ?? 0)
		}
		differences.sort((a, b) => a - b)
		const at = (q: number) =>
			differences[Math.min(differences.length - 1, Math.floor(differences.length * q))] ?? Number.NaN
		console.log(
			`our server duration minus the program's own over ${count} requests, in µs: p1 ${at(0.01).toFixed(0)}, median ${at(0.5).toFixed(0)}, p99 ${at(0.99).toFixed(0)}`,
		)
		// Ours starts when the bytes were read and ends when the last were written; the program starts after parsing.
		expect(Math.abs(at(0.5))).toBeLessThan(3000)
		expect(at(0.01)).toBeGreaterThan(-5000)
	}, 120_000)
})

function get(url: string, agent: http.Agent): Promise<number> {
	return new Promise((resolve, reject) => {
		let start = 0n
		http
			.get(url, { agent }, (response) => {
				response.resume()
				response.on('end', () => resolve(Number(process.hrtime.bigint() - start)))
			})
			.on('socket', () => {
				start = process.hrtime.bigint()
			})
			.on('error', reject)
	})
}
