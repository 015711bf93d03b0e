import http from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { programsOf, stillLoaded } from './support/bpf.ts'
import { selecting, stages } from './support/pipelines.ts'
import { startProgram } from './support/process.ts'
import { type Server, startNginx } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

describe('Vör that ends under load', () => {
	let nginx: Server
	let vor: Vor | undefined

	beforeAll(async () => {
		nginx = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }', {
			workers: 2,
		})
	})
	afterEach(() => vor?.stop('SIGKILL'))
	afterAll(() => nginx?.stop())

	const seen = () =>
		(vor as Vor).metric('http_server_request_duration_seconds_count', { service_name: 'nginx' })

	it.each([
		['SIGKILL', null],
		['SIGTERM', 0],
	] as const)(
		'by %s leaves no program attached and fails no request',
		async (signal, code) => {
			vor = await startVor(stages({ ringbuf: selecting({ ports: [nginx.port] }) }))
			const programs = programsOf(vor.pid)
			expect(programs.length).toBeGreaterThan(5)
			expect(stillLoaded(programs)).toHaveLength(programs.length)
			// What takes long on a busy machine has not failed.
			const load = startProgram('wrk', ['-t1', '-c32', '-d6s', '--timeout', '60s', `${nginx.url}/`])
			try {
				// It sees the load when it ends.
				await eventually(
					async () => ((await seen()) > 1000 ? true : undefined),
					() => vor?.stderr() ?? '',
				)
				expect(load.child.exitCode).toBe(null)
				expect(await vor.stop(signal)).toBe(code)
				const single = await Promise.all(Array.from({ length: 50 }, () => status(`${nginx.url}/`)))
				expect(single.every((one) => one === 200)).toBe(true)
				await load.exited
			} finally {
				await load.stop('SIGKILL')
			}
			expect(load.stdout()).toMatch(/Requests\/sec/)
			expect(load.stdout()).not.toMatch(/Socket errors|Non-2xx/)
			await eventually(
				() => (stillLoaded(programs).length === 0 ? true : undefined),
				() => `left attached: ${JSON.stringify(stillLoaded(programs))}`,
			)
		},
		120_000,
	)
})

function status(url: string): Promise<number> {
	return new Promise((resolve, reject) => {
		http
			.get(url, { agent: false }, (response) => {
				response.resume()
				response.on('end', () => resolve(response.statusCode ?? 0))
			})
			.on('error', reject)
	})
}
