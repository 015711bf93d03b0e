import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selecting, stages } from './support/pipelines.ts'
import { type Program, startProgram } from './support/process.ts'
import { buildLoadMaker, type Server, startNginx } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

const rate = 10_000
const processes = 1000

describe('at 10 000 requests a second', () => {
	let nginx: Server
	let vor: Vor
	let pipeline: string

	beforeAll(async () => {
		nginx = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }')
		pipeline = stages({ ringbuf: selecting({ ports: [nginx.port] }) })
		vor = await startVor(pipeline)
	})
	afterAll(async () => {
		await vor?.stop()
		await nginx?.stop()
	})

	async function counts() {
		const of = (name: string, reason?: string) =>
			vor.metric(name, { component_id: 'ebpf.ringbuf.t', ...(reason === undefined ? {} : { reason }) })
		return {
			red: await vor.metric('http_server_request_duration_seconds_count', { service_name: 'nginx' }),
			ringFull: await of('vor_component_dropped_total', 'ring_full'),
			delay: await vor.metric('vor_event_loop_delay_seconds', { quantile: '0.99' }),
		}
	}

	/** Runs the load for `seconds` with `meanwhile` beside it; every request must be in RED, none through a drop. */
	async function underLoad(seconds: number, meanwhile: () => Promise<void>) {
		const before = await counts()
		const load = startProgram(await buildLoadMaker(), [
			String(nginx.port),
			'32',
			String(rate),
			String(seconds),
			'/',
		])
		await new Promise((resolve) => setTimeout(resolve, 1000))
		await meanwhile()
		await load.exited
		const [, sent, completed, errors] = load.stdout().match(/sent (\d+) completed (\d+) errors (\d+)/) ?? []
		expect(Number(errors)).toBe(0)
		expect(Number(completed)).toBe(Number(sent))
		const after = await eventually(
			async () => {
				const now = await counts()
				return now.red - before.red >= Number(sent) ? now : undefined
			},
			() => `RED did not reach ${sent}\n${vor.stderr()}`,
		)
		console.log(`${load.stdout().trim()}; event-loop delay p99 ${(after.delay * 1000).toFixed(1)} ms`)
		expect(after.red - before.red).toBe(Number(sent))
		expect(after.ringFull - before.ringFull).toBe(0)
	}

	it('reloads lose no record', async () => {
		await underLoad(8, async () => {
			for (let i = 0; i < 10; i++) {
				writeFileSync(
					join(vor.folder, 'config.alloy'),
					pipeline.replace('interval = "1s"', `interval = "${1000 + i}ms"`),
				)
				const response = await fetch(`${vor.url}/-/reload`, { method: 'POST' })
				expect(response.status).toBe(200)
				await new Promise((resolve) => setTimeout(resolve, 300))
			}
		})
	}, 60_000)

	it(`a scan of ${processes} processes loses no record`, async () => {
		const sleepers: Program[] = []
		await underLoad(8, async () => {
			const script = `for i in $(seq ${processes}); do sleep 5 & done; wait`
			sleepers.push(startProgram('sh', ['-c', script]))
			await new Promise((resolve) => setTimeout(resolve, 5000))
		})
		for (const program of sleepers) await program.stop()
	}, 90_000)
})
