import type { Labels, MetricFamily, Sample } from './metric-family.ts'
import { renderFamilies } from './metric-family.ts'

/** A value kept per set of label values. Values are given in the order of the label names. */
export interface Counter {
	add(count: number, ...labelValues: readonly string[]): void
	value(...labelValues: readonly string[]): number
}

export interface Gauge {
	set(value: number, ...labelValues: readonly string[]): void
	value(...labelValues: readonly string[]): number
}

export interface Histogram {
	/** Seconds, bytes, …: the unit the name ends in. */
	observe(value: number, ...labelValues: readonly string[]): void
}

/**
 * Vör's own metrics. Asked twice for one name it gives the same metric, so components may ask where they count and
 * totals survive a reload. What is cheaper read than kept (accounting, /proc) is a source, asked at scrape time.
 */
export interface MetricRegistry {
	counter(name: string, help: string, labelNames?: readonly string[]): Counter
	gauge(name: string, help: string, labelNames?: readonly string[]): Gauge
	/** `bounds` are upper-inclusive, ascending, without +Inf. */
	histogram(name: string, help: string, bounds: readonly number[], labelNames?: readonly string[]): Histogram
	/** Returns the way to take the source out again. */
	source(read: () => Iterable<MetricFamily>): () => void
	families(): Iterable<MetricFamily>
	/** Prometheus text. */
	render(): string
}

export function createRegistry(): MetricRegistry {
	const kept = new Map<string, { kind: string; metric: object; read: () => MetricFamily }>()
	const sources = new Set<() => Iterable<MetricFamily>>()

	function once<T extends object>(
		name: string,
		kind: string,
		make: () => { metric: T; read: () => MetricFamily },
	): T {
		const known = kept.get(name)
		if (known !== undefined) {
			if (known.kind !== kind) throw new TypeError(`metric ${name} is a ${known.kind}, not a ${kind}`)
			return known.metric as T
		}
		const made = make()
		kept.set(name, { kind, ...made })
		return made.metric
	}

	function* families(): Iterable<MetricFamily> {
		for (const { read } of kept.values()) yield read()
		for (const read of sources) yield* read()
	}

	return {
		counter: (name, help, labelNames = []) =>
			once(name, 'counter', () => {
				const cells = createCells(labelNames)
				const metric: Counter = {
					add: (count, ...values) => void (cells.cell(values).value += count),
					value: (...values) => cells.peek(values),
				}
				return { metric, read: () => ({ name, help, type: 'counter', samples: cells.samples() }) }
			}),
		gauge: (name, help, labelNames = []) =>
			once(name, 'gauge', () => {
				const cells = createCells(labelNames)
				const metric: Gauge = {
					set: (value, ...values) => void (cells.cell(values).value = value),
					value: (...values) => cells.peek(values),
				}
				return { metric, read: () => ({ name, help, type: 'gauge', samples: cells.samples() }) }
			}),
		histogram: (name, help, bounds, labelNames = []) =>
			once(name, 'histogram', () => createHistogram(name, help, bounds, labelNames)),
		source(read) {
			sources.add(read)
			return () => void sources.delete(read)
		},
		families,
		render: () => renderFamilies(families()),
	}
}

interface Cell {
	readonly labels: Labels
	value: number
}

function createCells(labelNames: readonly string[]) {
	const cells = new Map<string, Cell>()
	// A metric without labels is there from the start, so that a rate has a first point.
	if (labelNames.length === 0) cells.set('', { labels: [], value: 0 })
	return {
		cell(values: readonly string[]): Cell {
			const key = values.join('\u0000')
			let cell = cells.get(key)
			if (cell === undefined) {
				cell = { labels: labelsOf(labelNames, values), value: 0 }
				cells.set(key, cell)
			}
			return cell
		},
		peek: (values: readonly string[]) => cells.get(values.join('\u0000'))?.value ?? 0,
		samples: (): Sample[] => [...cells.values()].map(({ labels, value }) => ({ suffix: '', labels, value })),
	}
}

function labelsOf(names: readonly string[], values: readonly string[]): Labels {
	if (names.length !== values.length)
		throw new TypeError(`${names.length} label values expected, got ${values.length}`)
	return names.map((name, i) => [name, values[i]!] as const)
}

function createHistogram(
	name: string,
	help: string,
	bounds: readonly number[],
	labelNames: readonly string[],
): { metric: Histogram; read: () => MetricFamily } {
	const cells = new Map<string, { labels: Labels; sum: number; counts: number[] }>()
	const metric: Histogram = {
		observe(value, ...values) {
			const key = values.join('\u0000')
			let cell = cells.get(key)
			if (cell === undefined) {
				cell = { labels: labelsOf(labelNames, values), sum: 0, counts: new Array(bounds.length + 1).fill(0) }
				cells.set(key, cell)
			}
			let at = 0
			while (at < bounds.length && value > bounds[at]!) at++
			cell.counts[at]!++
			cell.sum += value
		},
	}
	const read = (): MetricFamily => {
		const samples: Sample[] = []
		for (const { labels, sum, counts } of cells.values()) {
			let total = 0
			for (let i = 0; i < counts.length; i++) {
				total += counts[i]!
				const le = i < bounds.length ? String(bounds[i]) : '+Inf'
				samples.push({ suffix: '_bucket', labels: [...labels, ['le', le]], value: total })
			}
			samples.push({ suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total })
		}
		return { name, help, type: 'histogram', samples }
	}
	return { metric, read }
}
