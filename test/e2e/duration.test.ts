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
		await Promise.all(
			Array.from({ length: count }, (_, i) => get(`${server.url}/slow/${i % 20}/${i}`, agent)),
		)
		agent.destroy()
		const mine = () =>
			collector
				.traces()
				.filter((span) => span.kind === 'server' && span.attributes['server.port'] === server.port)
		await eventually(
			() => (mine().length >= count ? true : undefined),
			() => `${mine().length} spans\n${vor.stderr()}`,
			30_000,
		)
		const own = new Map(
			[...server.stdout().matchAll(/took (\S+) (\d+)/g)].map((match) => [match[1], Number(match[2])]),
		)
		const differences: number[] = []
		for (const span of mine()) {
			const measured = own.get(String(span.attributes['url.path']))
			expect(measured).toBeDefined()
			differences.push((Number(span.endNs - span.startNs) - (measured ?? 0)) / 1000)
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

function get(url: string, agent: http.Agent): Promise<void> {
	return new Promise((resolve, reject) => {
		http
			.get(url, { agent }, (response) => {
				response.resume()
				response.on('end', () => resolve())
			})
			.on('error', reject)
	})
}
