import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selecting, stages } from './support/pipelines.ts'
import { run } from './support/process.ts'
import { type Server, startNginx } from './support/programs.ts'
import { eventually, startVor, sumMetric, type Vor } from './support/vor.ts'

const requests = 200_000
const seconds = 40

/** Requests that nginx itself has counted, the status request that reads them not included. */
async function stubStatus(nginx: Server): Promise<number> {
	const text = await (await fetch(`${nginx.url}/stub_status`)).text()
	const match = text.match(/\n\s*(\d+) (\d+) (\d+)/)
	return Number(match?.[3]) - 1
}

describe.each([
	{ name: 'with the ring as it comes', ring: '' },
	{ name: 'with a ring of 64 KiB', ring: 'ring_size = "64KiB"\n' },
])('counts $name', ({ ring }) => {
	let nginx: Server
	let vor: Vor

	beforeAll(async () => {
		nginx = await startNginx(
			'server { listen 127.0.0.1:PORT; location / { return 200 yes; } location /stub_status { stub_status; } }',
		)
		vor = await startVor(
			stages({ ringbuf: `${ring}\n\t${selecting({ ports: [nginx.port], exclude: ['*/wrk', '*/node'] })}` }),
		)
	})
	afterAll(async () => {
		await vor?.stop()
		await nginx?.stop()
	})

	it(`are exact over at least ${requests} requests on 64 connections`, async () => {
		// Vör is attached: this reading is the first request that both count.
		const before = await stubStatus(nginx)
		let truth = 0
		for (let used = 0; truth < requests; used += 5) {
			expect(used, 'the load maker is too slow').toBeLessThan(seconds * 4)
			await run('wrk', ['-t2', '-c64', '-d5s', `${nginx.url}/`])
			truth = (await stubStatus(nginx)) - before
		}
		// The status requests themselves were counted by both sides, but the newest may still be under way.
		let seen = 0
		await eventually(
			async () => {
				const now = (await stubStatus(nginx)) - before
				await new Promise((resolve) => setTimeout(resolve, 2500))
				seen = await redCount()
				truth = now + 1
				return seen === truth ? true : undefined
			},
			() => `nginx counted ${truth}, RED counted ${seen}`,
			60_000,
		)
		// One reading: the status request of the next would come in between.
		const text = await vor.metrics()
		const of = (name: string, labels: Record<string, string> = {}) =>
			sumMetric(text, name, { component_id: 'ebpf.ringbuf.t', ...labels })
		const started = of('vor_component_received_total')
		const dropped = of('vor_component_dropped_total', { reason: 'ring_full' })
		const aggregated = (name: string) => sumMetric(text, name, { component_id: 'ebpf.aggregate.t' })
		const spans = aggregated('vor_component_received_total')
		// A program that was just started is recorded until it is known that nobody wants it.
		const unwanted =
			aggregated('vor_fallback_rejected_total') + aggregated('vor_fallback_unknown_process_total')
		console.log(
			`nginx ${truth}, RED ${seen}, spans ${spans}, dropped by the kernel ${dropped}, of those ${unwanted} of others`,
		)
		expect(started).toBe(
			of('vor_component_sent_total') + of('vor_component_dropped_total') + of('vor_component_held'),
		)
		expect(sumMetric(text, 'http_server_request_duration_seconds_count', { service_name: 'nginx' })).toBe(
			spans + dropped - unwanted,
		)
		expect(aggregated('vor_fallback_requests_total')).toBe(dropped)
		if (ring !== '') expect(dropped).toBeGreaterThan(0)
	}, 300_000)

	async function redCount(): Promise<number> {
		return vor.metric('http_server_request_duration_seconds_count', { service_name: 'nginx' })
	}
})
