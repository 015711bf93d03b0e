import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Judge, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { run } from './support/process.ts'
import { type Server, startNode } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

const count = 1000

describe('a thousand single curl runs', () => {
	let collector: Judge
	let server: Server
	let vor: Vor

	beforeAll(async () => {
		collector = await startJudge()
		server = await startNode()
		vor = await startVor(
			stages({
				endpoint: collector.endpoint,
				ringbuf: selecting({ ports: [server.port], executables: ['*/curl'] }),
			}),
		)
	}, 900_000)
	afterAll(async () => {
		await vor?.stop()
		await server?.stop()
		await collector?.stop()
	})

	it('give a thousand client spans with the name of curl and none unknown', async () => {
		const script = `seq ${count} | xargs -P4 -I{} curl -s -o /dev/null ${server.url}/run/{}`
		// xargs ends with 123 when any of them fails.
		expect((await run('sh', ['-c', script])).code).toBe(0)
		const mine = () =>
			collector
				.traces()
				.filter(
					(span) =>
						span.kind === 'client' && String(span.attributes['url.full']).startsWith(`${server.url}/run/`),
				)
		await eventually(
			() => (mine().length >= count ? true : undefined),
			() => `${mine().length} client spans\n${vor.stderr()}`,
			60_000,
		)
		const spans = mine()
		expect(spans).toHaveLength(count)
		expect(new Set(spans.map((span) => span.attributes['url.full'])).size).toBe(count)
		expect(spans.filter((span) => span.service !== 'curl')).toHaveLength(0)
	}, 240_000)
})
