import http from 'node:http'
import { listPrograms } from 'bpf-native-loader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selecting, stages } from './support/pipelines.ts'
import { run, startProgram } from './support/process.ts'
import { type Server, startNginx } from './support/programs.ts'
import { eventually, startVor } from './support/vor.ts'

describe('Vör killed under load', () => {
	let nginx: Server

	beforeAll(async () => {
		nginx = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }', {
			workers: 2,
		})
	})
	afterAll(() => nginx?.stop())

	it('leaves no program attached and fails no request', async () => {
		const before = new Set(listPrograms().map((program) => program.id))
		const vor = await startVor(stages({ ringbuf: selecting({ ports: [nginx.port] }) }))
		const mine = listPrograms().filter((program) => !before.has(program.id))
		expect(mine.length).toBeGreaterThan(0)
		const load = startProgram('wrk', ['-t1', '-c32', '-d6s', `${nginx.url}/`])
		await new Promise((resolve) => setTimeout(resolve, 2000))
		await vor.stop('SIGKILL')
		const single = await Promise.all(Array.from({ length: 50 }, () => status(`${nginx.url}/`)))
		expect(single.every((code) => code === 200)).toBe(true)
		await load.exited
		expect(load.stdout()).toMatch(/Requests\/sec/)
		expect(load.stdout()).not.toMatch(/Socket errors|Non-2xx/)
		await eventually(
			() => {
				const left = new Set(listPrograms().map((program) => program.id))
				return mine.some((program) => left.has(program.id)) ? undefined : true
			},
			() => `left attached: ${JSON.stringify(mine)}`,
		)
	}, 60_000)

	it('leaves nothing after SIGTERM either, and exits with 0', async () => {
		const vor = await startVor(stages({ ringbuf: selecting({ ports: [nginx.port] }) }))
		await run('curl', ['-s', `${nginx.url}/`])
		const before = new Set(listPrograms().map((program) => program.id))
		expect(await vor.stop('SIGTERM')).toBe(0)
		await eventually(
			() =>
				listPrograms().filter((program) => before.has(program.id)).length < before.size ? true : undefined,
			() => 'no program went away',
		)
	})
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
