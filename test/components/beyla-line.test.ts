import { defer, Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineBeyla } from '../../src/components/beyla/ebpf/component.ts'
import { telemetryConsumer } from '../../src/components/common/capsules.ts'
import { createServices, fullId } from '../../src/components/services.ts'
import { defineArgs, defineExports } from '../../src/eval/args.ts'
import type { AnyDefinition } from '../../src/graph/component.ts'
import { createGraph } from '../../src/graph/graph.ts'
import { createRegistry } from '../../src/graph/registry.ts'
import { type AttributeKey, attributeKey, findAttribute } from '../../src/model/attributes.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import type { HistogramMetric, Metric } from '../../src/model/metric.ts'
import type { ProcessFact } from '../../src/model/process-fact.ts'
import { HTTP_FLAG } from '../../src/model/record.ts'
import type { Span } from '../../src/model/span.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { imbalance, resourceOf } from '../protocols/support/pipeline.ts'
import {
	ANSWERED,
	fallbackCount,
	freshId,
	type HttpRecord,
	httpRecord,
	processFact,
	rawBatch,
} from '../protocols/support/records.ts'

const id = 'beyla.ebpf.app'

/** One block over batches that the test makes, with a receiver for what comes out of it. */
async function line(body: string) {
	const source = new Subject<RawBatch>()
	let subscriptions = 0
	const services = createServices({
		version: '',
		resourceOf,
		source: () =>
			defer(() => {
				subscriptions++
				return source
			}),
		tap: undefined,
	})
	const spans: Span[] = []
	let metrics: readonly Metric[] = []
	const receiver: AnyDefinition = {
		name: 'test.receiver',
		stability: 'generally-available',
		args: defineArgs({}),
		exports: defineExports({ input: telemetryConsumer }),
		metadata: { summary: '', consumes: ['traces', 'metrics'], produces: [] },
		build(options) {
			const nothing = { error() {}, complete() {} }
			options.onStateChange({
				input: {
					kind: 'telemetry',
					owner: options.id,
					mutates: false,
					traces: {
						...nothing,
						next: (batch: { readonly spans: readonly Span[] }) => void spans.push(...batch.spans),
					},
					metrics: {
						...nothing,
						next(batch: { readonly metrics: readonly Metric[] }) {
							metrics = batch.metrics
						},
					},
				},
			})
			return { update: () => undefined, async stop() {} }
		},
	}
	const accounting = createAccounting()
	const lines: string[] = []
	const graph = createGraph({
		registry: createRegistry([defineBeyla(services) as AnyDefinition, receiver]),
		accounting,
		logger: createLog({ write: (text) => void lines.push(text) }),
		storagePath: 'data',
		stabilityLevel: 'generally-available',
	})
	const text = (inner: string) =>
		`beyla.ebpf "app" {\n${inner}\noutput {\ntraces = [test.receiver.x.input]\nmetrics = [test.receiver.x.input]\n}\n}\ntest.receiver "x" { }\n`
	const load = (inner: string) =>
		graph.load({ path: 'x.alloy', files: [{ name: 'x.alloy', text: text(inner) }] })
	const result = await load(body)
	expect(result.diagnostics.map((one) => one.message)).toEqual([])
	const send = (
		records: HttpRecord[],
		facts: ProcessFact[] = [processFact()],
		more: Partial<RawBatch> = {},
	) => source.next(rawBatch(records.map(httpRecord), { processes: facts, ...more }))
	return {
		send,
		load,
		spans,
		subscriptions: () => subscriptions,
		graph,
		accounting,
		log: () => lines.join(''),
		pushed: () => metrics,
		scrape: () =>
			services.scrapes
				.entries()
				.find(([component]) => fullId(component) === id)![1]().metrics,
		stop: () => graph.stop(1000),
	}
}

const everything = 'discovery {\ninstrument {\nexe_path = "*"\n}\n}'

function points(metrics: readonly Metric[], name: string) {
	return metrics
		.filter((metric): metric is HistogramMetric => metric.name === name)
		.flatMap((metric) => metric.points)
		.map((point) => {
			const labels: Record<string, unknown> = {}
			for (let i = 0; i < point.attributes.length; i += 2)
				labels[(point.attributes[i] as AttributeKey).name] = point.attributes[i + 1]
			return { labels, count: point.count, sum: point.sum }
		})
}

const duration = 'http.server.request.duration'
const server: HttpRecord = { local: ['127.0.0.1', 8080] }

describe('discovery', () => {
	const shop = processFact({ pid: 1, executable: '/opt/shop/bin/shop', listenPorts: [8080] })
	const other = processFact({ pid: 2, executable: '/usr/bin/python3.11', listenPorts: [9000] })
	it.each([
		['', []],
		['discovery {\ninstrument {\nopen_ports = "8000-8100"\n}\n}', [1]],
		['discovery {\ninstrument {\nexe_path = "*python*"\n}\n}', [2]],
		['discovery {\ninstrument {\nexe_path = "*"\n}\nexclude_instrument {\nexe_path = "*/shop"\n}\n}', [2]],
		['discovery {\nservices {\nexe_path = "python3\\\\.1[0-9]$"\n}\n}', [2]],
		['discovery {\nservices {\nexe_path = "."\n}\nexclude_services {\nexe_path = "^/opt/"\n}\n}', [2]],
		['open_port = "9000"', [2]],
		['executable_name = "^/opt/.+"', [1]],
		['open_port = "9000"\nexecutable_name = "shop"', []],
		['discovery {\ninstrument {\nopen_ports = "9000"\nkubernetes {\nnamespace = "x"\n}\n}\n}', []],
	])('%s', async (body, pids) => {
		const { send, spans, stop } = await line(body)
		send(
			[
				{ ...server, pid: 1 },
				{ ...server, pid: 2 },
			],
			[shop, other],
		)
		expect(spans.map((span) => span.exchange.pid)).toEqual(pids)
		await stop()
	})

	it('an entry keeps signals of its processes out, where the kernel counted instead of recording too', async () => {
		const { send, spans, scrape, stop } = await line(`discovery {
	instrument {
		exe_path = "*"
	}
	instrument {
		exe_path = "*/shop"
		exports  = ["metrics"]
	}
	instrument {
		exe_path = "*python*"
		exports  = ["traces"]
	}
}`)
		send(
			[
				{ ...server, pid: 1 },
				{ ...server, pid: 2 },
			],
			[shop, other],
			{
				fallback: [fallbackCount({ pid: 1 }), fallbackCount({ pid: 2 })],
			},
		)
		expect(spans.map((span) => span.exchange.pid)).toEqual([2])
		expect(points(scrape(), duration).reduce((sum, point) => sum + point.count, 0)).toBe(2)
		await stop()
	})
})

describe('traces', () => {
	const flagged = (flags: number): HttpRecord => ({ ...server, flags: ANSWERED | flags })
	const many = (count: number, flags = HTTP_FLAG.sampledFlag as number): HttpRecord[] =>
		Array.from({ length: count }, () => ({ ...flagged(flags), traceId: freshId(16) }))
	const sampled = (name: string, arg = '') =>
		`${everything}\ntraces {\nsampler {\nname = "${name}"\narg = "${arg}"\n}\n}`

	it('are sampled by the trace id, metrics count all, and the rest is accounted as left out', async () => {
		const { send, spans, scrape, accounting, stop } = await line(sampled('traceidratio', '0.25'))
		const records = many(400)
		send(records)
		expect(spans.length).toBeGreaterThan(60)
		expect(spans.length).toBeLessThan(140)
		for (const span of spans)
			expect(Buffer.from(span.ids).readBigUInt64BE(span.idsAt + 8) >> 1n).toBeLessThan(2n ** 61n)
		expect(points(scrape(), duration)[0]?.count).toBe(400)
		expect(imbalance(accounting, id)).toBe(0)
		expect(
			accounting
				.totals()
				.find((stage) => stage.id === id)
				?.dropped.get('filtered'),
		).toEqual({
			count: 400 - spans.length,
			intentional: true,
		})
		const before = spans.length
		send(records)
		expect(spans.length).toBe(2 * before)
		await stop()
	})

	it.each([
		['always_on', '', [true, true, true, true]],
		['always_off', '', [false, false, false, false]],
		['parentbased_always_on', '', [true, true, false, false]],
		['parentbased_always_off', '', [false, true, false, false]],
		['parentbased_traceidratio', '0', [false, true, false, false]],
		['traceidratio', '1', [true, true, true, true]],
	])('%s %s keeps roots and what a header says as it should', async (name, arg, expected) => {
		const { send, spans, stop } = await line(sampled(name, arg))
		const header = { headerTraceId: freshId(16), headerSpanId: freshId(8) }
		const cases: HttpRecord[] = [
			flagged(HTTP_FLAG.sampledFlag),
			{ ...flagged(HTTP_FLAG.sampledFlag | HTTP_FLAG.traceparent), ...header },
			{ ...flagged(HTTP_FLAG.traceparent), ...header },
			// A call of a request that came in unsampled: the kernel hands the flag on.
			{ ...flagged(0), role: 2 },
		]
		const found = cases.map((record) => {
			const before = spans.length
			send([record])
			return spans.length > before
		})
		expect(found).toEqual(expected)
		await stop()
	})

	it("an entry's sampler goes before the general one", async () => {
		const { send, spans, stop } = await line(`discovery {
	instrument {
		exe_path = "*"

		sampler {
			name = "always_on"
		}
	}
}
traces {
	sampler {
		name = "always_off"
	}
}`)
		send([server])
		expect(spans).toHaveLength(1)
		await stop()
	})

	it('of protocols that were not asked for are not exported', async () => {
		const { send, spans, scrape, stop } = await line(
			`${everything}\ntraces {\ninstrumentations = ["kafka"]\n}`,
		)
		send([server])
		expect(spans).toEqual([])
		expect(points(scrape(), duration)).toHaveLength(1)
		await stop()
	})

	it('lose the attributes that are excluded, and metrics keep theirs', async () => {
		const { send, spans, scrape, stop } = await line(
			`${everything}\nattributes {\nselect {\nattr = "traces"\ninclude = ["db.query.text"]\nexclude = ["http.request.*", "url_path"]\n}\n}`,
		)
		send([server])
		const names = spans[0]!.attributes.filter((_, i) => i % 2 === 0).map((key) => (key as AttributeKey).name)
		expect(names).toContain('http.route')
		expect(names).not.toContain('http.request.method')
		expect(names).not.toContain('url.path')
		expect(points(scrape(), duration)[0]?.labels).toHaveProperty('http.request.method')
		await stop()
	})
})

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

it('instance and host are named as the configuration says', async () => {
	const { send, spans, scrape, stop } = await line(
		`${everything}\nattributes {\ninstance_id {\noverride_hostname = "web-1"\n}\nhost_id {\noverride = "abc"\n}\n}`,
	)
	send([server], [processFact({ pid: 100 })])
	const { resource } = spans[0]!
	expect(resource.serviceInstanceId).toBe('web-1:100')
	const named = (name: string) => findAttribute(resource.attributes, attributeKey(name))
	expect([named('service.instance.id'), named('host.name'), named('host.id')]).toEqual([
		'web-1:100',
		'web-1',
		'abc',
	])
	expect(scrape()[0]?.resource.serviceInstanceId).toBe('web-1:100')
	await stop()
})

it('a running block logs values without effect, once, and nothing for the rest', async () => {
	const quiet = await line(everything)
	expect(quiet.log()).not.toContain('level=warn')
	await quiet.stop()
	const body = `${everything}\nmetrics {\nfeatures = ["application", "application_span"]\n}\nebpf {\nwakeup_len = 5\n}`
	const loud = await line(body)
	expect(loud.log()).toContain('wakeup_len')
	const warning = 'metrics.features \\"application_span\\" is known but gives no metrics yet'
	expect(loud.log()).toContain(warning)
	const length = loud.log().length
	await loud.load(body)
	expect(loud.log().slice(length)).not.toContain(warning)
	await loud.stop()
})

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

/** The same declare used twice. */
async function modules() {
	const source = new Subject<RawBatch>()
	const services = createServices({ version: '', resourceOf, source: () => source, tap: undefined })
	const accounting = createAccounting()
	const graph = createGraph({
		registry: createRegistry([defineBeyla(services) as AnyDefinition]),
		accounting,
		logger: createLog({ write: () => {} }),
		storagePath: 'data',
		stabilityLevel: 'generally-available',
	})
	const text = `declare "watch" {\nbeyla.ebpf "app" {\n${everything}\n}\n}\nwatch "one" { }\nwatch "two" { }\n`
	const result = await graph.load({ path: 'x.alloy', files: [{ name: 'x.alloy', text }] })
	expect(result.diagnostics).toEqual([])
	return {
		services,
		graph,
		send: () => source.next(rawBatch([httpRecord(server)], { processes: [processFact()] })),
		spansOf: () =>
			accounting
				.totals()
				.filter((stage) => stage.id === 'ebpf.propagate.app')
				.reduce((sum, stage) => sum + stage.sent, 0),
	}
}
