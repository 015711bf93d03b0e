import { defer, Subject } from 'rxjs'
import { expect } from 'vitest'
import { defineBeyla } from '../../../src/components/beyla/ebpf/component.ts'
import { telemetryConsumer } from '../../../src/components/common/capsules.ts'
import { createServices, fullId } from '../../../src/components/services.ts'
import { defineArgs, defineExports } from '../../../src/eval/args.ts'
import type { AnyDefinition } from '../../../src/graph/component.ts'
import { createGraph } from '../../../src/graph/graph.ts'
import { createRegistry } from '../../../src/graph/registry.ts'
import type { AttributeKey } from '../../../src/model/attributes.ts'
import type { RawBatch } from '../../../src/model/batch.ts'
import type { HistogramMetric, Metric } from '../../../src/model/metric.ts'
import type { ProcessFact } from '../../../src/model/process-fact.ts'
import type { Span } from '../../../src/model/span.ts'
import { createAccounting } from '../../../src/telemetry/accounting.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { resourceOf } from '../../protocols/support/pipeline.ts'
import { type HttpRecord, httpRecord, processFact, rawBatch } from '../../protocols/support/records.ts'

/** The component of `line`. */
export const id = 'beyla.ebpf.app'

/** One block over batches that the test makes, with a receiver for what comes out of it. */
export async function line(body: string) {
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

/** Selects all processes. */
export const everything = 'discovery {\ninstrument {\nexe_path = "*"\n}\n}'

/** Of all metrics of that name, labels as an object. */
export function points(metrics: readonly Metric[], name: string) {
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

export const duration = 'http.server.request.duration'
/** A request that a server took. */
export const server: HttpRecord = { local: ['127.0.0.1', 8080] }

/** The same declare with a block in it, used twice. */
export async function modules() {
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
