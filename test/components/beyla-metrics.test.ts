import { describe, expect, it } from 'vitest'
import type { HttpRecord } from '../protocols/support/records.ts'
import { duration, everything, line, points, server } from './support/beyla-line.ts'

describe('metrics', () => {
	const select = (...sections: string[]) =>
		`${everything}\nroutes {\nunmatched = "unset"\n}\nattributes {\n${sections.map((one) => `select {\n${one}\n}`).join('\n')}\n}`
	const requests: HttpRecord[] = [
		{ ...server, target: '/a', remote: ['10.0.0.1', 1] },
		{ ...server, target: '/b', remote: ['10.0.0.2', 1] },
		{ ...server, target: '/b', remote: ['10.0.0.2', 1], method: 'POST' },
	]

	it('have their default attributes where nothing is selected', async () => {
		const { send, scrape, stop } = await line(everything)
		send(requests)
		for (const { labels } of points(scrape(), duration)) {
			expect(labels).toHaveProperty('http.request.method')
			expect(labels).not.toHaveProperty('url.path')
			expect(labels).not.toHaveProperty('client.address')
		}
		await stop()
	})

	it('lose excluded attributes, and what is then the same is added up', async () => {
		const { send, scrape, pushed, stop } = await line(
			select('attr = "http_*"\nexclude = ["http.request.method"]'),
		)
		send(requests)
		const [point, ...more] = points(scrape(), duration)
		expect(more).toEqual([])
		expect(point?.count).toBe(3)
		expect(point?.labels).not.toHaveProperty('http.request.method')
		await stop()
		expect(points(pushed(), duration).map(({ count }) => count)).toEqual([3])
	})

	it('may have optional attributes, each metric its own', async () => {
		const { send, scrape, stop } = await line(
			select(
				'attr = "http_server_request_duration"\ninclude = ["url.path", "http.request.method"]',
				'attr = "http_server_*_body_size"\nexclude = ["http.*"]',
			),
		)
		send(requests)
		expect(
			points(scrape(), duration)
				.map(({ labels }) => labels)
				.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
		).toEqual([
			{ 'http.request.method': 'GET', 'url.path': '/a' },
			{ 'http.request.method': 'GET', 'url.path': '/b' },
			{ 'http.request.method': 'POST', 'url.path': '/b' },
		])
		expect(points(scrape(), 'http.server.request.body.size')).toEqual([
			{ labels: { 'url.scheme': 'http', 'network.protocol.version': '1.1' }, count: 3, sum: 0 },
		])
		await stop()
	})

	it.each([
		['features = ["network"]', 0],
		['instrumentations = ["sql"]', 0],
		['instrumentations = ["http"]', 1],
		['features = ["all"]', 1],
		['features = []', 1],
	])('%s', async (text, count) => {
		const { send, spans, scrape, stop } = await line(`${everything}\nmetrics {\n${text}\n}`)
		send([server])
		expect(spans).toHaveLength(1)
		expect(points(scrape(), duration)).toHaveLength(count)
		await stop()
	})

	it('carry extra resource labels on the page and not where a resource stands beside them', async () => {
		const { send, scrape, pushed, stop } = await line(
			`${everything}\nmetrics {\nextra_resource_labels = ["service.instance.id"]\n}`,
		)
		send([server])
		expect(points(scrape(), duration)[0]?.labels).toHaveProperty('service.instance.id', 'host:100')
		await stop()
		expect(points(pushed(), duration)[0]?.labels).not.toHaveProperty('service.instance.id')
	})
})
