import { describe, expect, it } from 'vitest'
import { fullId } from '../../src/components/services.ts'
import { imbalance } from '../protocols/support/pipeline.ts'
import { duration, everything, id, line, modules, points, server } from './support/beyla-line.ts'

describe('a reload', () => {
	it('of the selection or a sampler keeps the series', async () => {
		const { send, spans, load, scrape, stop } = await line(everything)
		send([server])
		await load(`${everything}\ntraces {\nsampler {\nname = "always_off"\n}\n}`)
		send([server])
		expect(spans).toHaveLength(1)
		expect(points(scrape(), duration)[0]?.count).toBe(2)
		await load('discovery {\ninstrument {\nexe_path = "*/nothing"\n}\n}')
		send([server])
		expect(spans).toHaveLength(1)
		expect(points(scrape(), duration)[0]?.count).toBe(2)
		await stop()
	})

	it('of routes, metrics, attributes or particular entries begins them anew; the probes know nothing of it', async () => {
		const { send, spans, load, scrape, subscriptions, accounting, graph, stop } = await line(everything)
		send([server])
		for (const [body, route] of [
			[`${everything}\nroutes {\npatterns = ["/{x}"]\n}`, '/{x}'],
			[`${everything}\nroutes {\nunmatched = "path"\n}`, '/y'],
			[
				everything.replace(
					'exe_path',
					'exports = ["traces", "metrics"]\nsampler {\nname = "always_on"\n}\nexe_path',
				),
				'/y',
			],
		] as const) {
			await load(body)
			send([{ ...server, target: '/y' }])
			expect(spans.at(-1)?.route).toBe(route)
			expect(points(scrape(), duration).map(({ count }) => count)).toEqual([1])
		}
		expect(spans).toHaveLength(4)
		expect(subscriptions()).toBe(1)
		expect(graph.components().find((one) => one.localId === id)?.health.state).toBe('healthy')
		expect(accounting.totals().length).toBeGreaterThan(5)
		for (const { id } of accounting.totals()) expect(imbalance(accounting, id), id).toBe(0)
		await stop()
		// The block's own entry is the graph's to keep or remove.
		expect(accounting.totals().map((stage) => stage.id)).toEqual([id])
	})

	it('loses nothing that waits inside', async () => {
		const { send, spans, load, accounting, stop } = await line(everything)
		// Nothing is known of the process yet: correlate waits for a fact.
		send([server], [])
		expect(spans).toHaveLength(0)
		await load(`${everything}\nroutes {\npatterns = ["/{x}"]\n}`)
		expect(spans).toHaveLength(1)
		expect(imbalance(accounting, 'ebpf.correlate.app')).toBe(0)
		await stop()
	})
})

it('two blocks of one name in two modules have their own series and pages', async () => {
	const { services, graph, spansOf, send } = await modules()
	send()
	expect(services.scrapes.entries().map(([component]) => fullId(component))).toEqual([
		'watch.one/beyla.ebpf.app',
		'watch.two/beyla.ebpf.app',
	])
	for (const [, scrape] of services.scrapes.entries())
		expect(points(scrape().metrics, duration)).toHaveLength(1)
	expect(services.aggregates.entries()).toHaveLength(2)
	expect(spansOf()).toBe(2)
	await graph.stop(1000)
})
