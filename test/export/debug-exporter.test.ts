import { afterEach, describe, expect, it } from 'vitest'
import { createDebugExporter, type DebugExporterOptions } from '../../src/export/debug-exporter.ts'
import type { MetricBatch, SpanBatch } from '../../src/model/batch.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { type Collector, startCollector } from '../helpers/collector.ts'
import { subject } from './exporter-under-test.ts'
import { attributes, makeBatch, makeHistogram, makeResource, makeSpan } from './samples.ts'

const shop = makeResource('shop', { list: ['a', 'b"c', '<&>'], n: 4.5, yes: true })
const other = makeResource('other')
const odd = attributes({
	list: ['a', 'b'],
	double: { double: 3 },
	empty: '',
	huge: { double: 1e21 },
	large: 2 ** 62,
	small: 0.000001,
	smaller: 1e-7,
	no: false,
	int: -5,
	lines: 'a\nb',
	umlaut: 'ü',
})
const spans: SpanBatch = makeBatch([
	makeSpan(1, shop),
	makeSpan(2, other, { statusCode: 2, statusMessage: 'reset', traceState: 'a=b', kind: 3, attributes: odd }),
	makeSpan(3, shop, { attributes: [], statusCode: 1, kind: 1, name: '' }),
])
const point = {
	attributes: attributes({ pool: 'a' }),
	startMs: 1_795_000_000_000,
	timeMs: 1_795_000_015_000.125,
}
const metrics: MetricBatch = {
	metrics: [
		makeHistogram(shop, 2),
		{
			kind: 'sum',
			monotonic: true,
			name: 'vor.requests',
			description: 'd',
			unit: '{request}',
			resource: shop,
			points: [
				{ ...point, value: 7 },
				{ ...point, value: 8, attributes: [] },
			],
		},
		{
			kind: 'sum',
			monotonic: false,
			name: 'vor.s',
			description: 'd',
			unit: 's',
			resource: other,
			points: [{ ...point, value: 7 }],
		},
		{
			kind: 'gauge',
			name: 'vor.depth',
			description: '',
			unit: '1',
			resource: shop,
			points: [{ ...point, value: 3.25 }],
		},
	],
}

function make(options: Partial<DebugExporterOptions>, now?: () => number) {
	const accounting = createAccounting()
	let text = ''
	let log = ''
	const exporter = createDebugExporter(options, {
		meter: accounting.meter('/', 'otelcol.exporter.debug.x'),
		log: createLog({ write: (line) => void (log += line) }),
		version: '0.1.0',
		write: (part) => void (text += part),
		...(now === undefined ? {} : { now }),
	})
	return { exporter, text: () => text, log: () => log, totals: () => accounting.totals()[0]! }
}

describe('the debug exporter', () => {
	let collector: Collector | undefined
	afterEach(async () => await collector?.stop())

	it.each(['basic', 'normal', 'detailed'] as const)(
		'prints what the real one prints, verbosity %s',
		async (verbosity) => {
			collector = await startCollector({ debug: verbosity })
			const { exporter } = subject(collector.endpoint)
			exporter.traces.next(spans)
			expect(await exporter.flush(5000)).toBe(true)
			await expect.poll(collector.log).toContain('Traces\t')
			exporter.metrics.next(metrics)
			expect(await exporter.flush(5000)).toBe(true)
			await expect.poll(collector.log).toContain('Metrics\t')
			await new Promise((resolve) => setTimeout(resolve, 100))
			const theirs = collector.log()
			const ours = make({ verbosity, useInternalLogger: false })
			ours.exporter.traces.next(spans)
			ours.exporter.metrics.next(metrics)
			expect(ours.text()).toBe(theirs.slice(theirs.indexOf('Traces\t')))
		},
	)

	it('writes into the log by default, one line a batch, and accounts for all', () => {
		const { exporter, log, totals } = make({})
		exporter.traces.next(spans)
		exporter.metrics.next(metrics)
		expect(log()).toMatch(
			/level=info msg=Traces resource_spans=2 spans=3\n.*msg=Metrics resource_metrics=2 metrics=4 data_points=6\n$/,
		)
		expect([totals().received, totals().sent]).toEqual([9, 9])
	})

	it('shows the first of each second and then every n-th', () => {
		let now = 0
		const { exporter, text, totals } = make(
			{ useInternalLogger: false, samplingInitial: 3, samplingThereafter: 10 },
			() => now,
		)
		const shown = () => text().split('Traces').length - 1
		for (let i = 0; i < 25; i++) exporter.traces.next(spans)
		expect(shown()).toBe(3 + 2)
		now = 1000
		exporter.traces.next(spans)
		expect(shown()).toBe(6)
		expect(totals().sent).toBe(78)
	})

	it('refuses a verbosity that does not exist', () => {
		expect(() => make({ verbosity: 'loud' as 'basic' })).toThrow('invalid verbosity "loud"')
	})
})
