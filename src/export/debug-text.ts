import type { AttributeKey, AttributeList, AttributeValue } from '../model/attributes.ts'
import type { ClockOffset, SpanBatch } from '../model/batch.ts'
import type { HistogramPoint, Metric, NumberPoint } from '../model/metric.ts'
import type { Resource } from '../model/resource.ts'
import type { Span } from '../model/span.ts'

/** The texts of the Collector's debug exporter, line for line. */
export interface DebugText {
	traces(batch: SpanBatch): string
	metrics(metrics: readonly Metric[]): string
}

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
const STATUSES = ['Unset', 'Ok', 'Error']

/** One line for each span and point, `verbosity = "normal"`. */
export function normalText(version: string): DebugText {
	const heads = (what: string, index: number, resource: Resource) => [
		`Resource${what} #${index} ${inline(resource.attributes)}`.trimEnd(),
		`Scope${what} #0 vor@${version}`,
	]
	return {
		traces: ({ spans }) =>
			join(
				groups(spans).flatMap(([resource, group], index) => [
					...heads('Traces', index, resource),
					...group.map((span) => {
						const id = ids(span)
						return `${span.name} ${id.trace} ${id.span} ${inline(span.attributes)}`.trimEnd()
					}),
				]),
			),
		metrics: (metrics) =>
			join(
				groups(metrics).flatMap(([resource, group], index) => [
					...heads('Metrics', index, resource),
					...group.flatMap((metric) => {
						const line = (labels: AttributeList, rest: string) =>
							`${metric.name}{${inline(labels, ',')}} ${rest}`
						return metric.kind === 'histogram'
							? metric.points.map((point) => line(point.attributes, inlineHistogram(point, metric.bounds)))
							: metric.points.map((point) => line(point.attributes, String(point.value)))
					}),
				]),
			),
	}
}

/** Every field on its own line, `verbosity = "detailed"`. */
export function detailedText(version: string): DebugText {
	const heads = (what: string, index: number, resource: Resource) => [
		`Resource${what} #${index}`,
		'Resource SchemaURL: ',
		...listed('Resource attributes:', resource.attributes),
		`Scope${what} #0`,
		`Scope${what} SchemaURL: `,
		`InstrumentationScope vor ${version}`,
	]
	return {
		traces: ({ spans, clockOffset }) =>
			join(
				groups(spans).flatMap(([resource, group], index) => [
					...heads('Spans', index, resource),
					...group.flatMap((span, number) => spanLines(span, number, clockOffset)),
				]),
			),
		metrics: (metrics) =>
			join(
				groups(metrics).flatMap(([resource, group], index) => [
					...heads('Metrics', index, resource),
					...group.flatMap(metricLines),
				]),
			),
	}
}

function spanLines(span: Span, number: number, offset: ClockOffset): string[] {
	const id = ids(span)
	const field = (name: string, value: string) => `    ${name.padEnd(15)}: ${value}`
	return [
		`Span #${number}`,
		field('Trace ID', id.trace),
		field('Parent ID', id.parent),
		field('ID', id.span),
		field('Name', span.name),
		field('Kind', KINDS[span.kind] ?? ''),
		...(span.traceState === '' ? [] : [field('TraceState', span.traceState)]),
		field('Start time', time(unix(span.startNs, offset))),
		field('End time', time(unix(span.endNs, offset))),
		field('Status code', STATUSES[span.statusCode] ?? ''),
		field('Status message', span.statusMessage),
		'    DroppedAttributesCount: 0',
		'    DroppedEventsCount: 0',
		'    DroppedLinksCount: 0',
		...listed('Attributes:', span.attributes),
	]
}

function metricLines(metric: Metric, number: number): string[] {
	const lines = [
		`Metric #${number}`,
		'Descriptor:',
		`     -> Name: ${metric.name}`,
		`     -> Description: ${metric.description}`,
		`     -> Unit: ${metric.unit}`,
		`     -> DataType: ${metric.kind === 'histogram' ? 'Histogram' : metric.kind === 'sum' ? 'Sum' : 'Gauge'}`,
	]
	if (metric.kind === 'sum') lines.push(`     -> IsMonotonic: ${metric.monotonic}`)
	if (metric.kind !== 'gauge') lines.push('     -> AggregationTemporality: Cumulative')
	if (metric.kind === 'histogram') {
		for (const [i, point] of metric.points.entries()) {
			lines.push(
				`HistogramDataPoints #${i}`,
				...pointLines(point),
				`Count: ${point.count}`,
				`Sum: ${point.sum.toFixed(6)}`,
			)
			for (const [j, bound] of metric.bounds.entries())
				lines.push(`ExplicitBounds #${j}: ${bound.toFixed(6)}`)
			for (const [j, count] of point.bucketCounts.entries()) lines.push(`Buckets #${j}, Count: ${count}`)
		}
		return lines
	}
	const whole =
		metric.kind === 'sum' &&
		metric.unit !== 's' &&
		metric.points.every(({ value }) => Number.isSafeInteger(value))
	for (const [i, point] of metric.points.entries()) {
		lines.push(`NumberDataPoints #${i}`, ...pointLines(point))
		lines.push(`Value: ${whole ? point.value : point.value.toFixed(6)}`)
	}
	return lines
}

function pointLines(point: HistogramPoint | NumberPoint): string[] {
	return [
		...listed('Data point attributes:', point.attributes),
		`StartTimestamp: ${time(BigInt(Math.round(point.startMs * 1000)) * 1000n)}`,
		`Timestamp: ${time(BigInt(Math.round(point.timeMs * 1000)) * 1000n)}`,
	]
}

function inlineHistogram(point: HistogramPoint, bounds: readonly number[]): string {
	const buckets = point.bucketCounts.map((count, i) =>
		i < bounds.length ? `le${bounds[i]}=${count}` : `${count}`,
	)
	return [`count=${point.count}`, `sum=${point.sum}`, ...buckets].join(' ')
}

function groups<T extends { readonly resource: Resource }>(items: readonly T[]): [Resource, T[]][] {
	const map = new Map<Resource, T[]>()
	for (const item of items) {
		const group = map.get(item.resource)
		if (group === undefined) map.set(item.resource, [item])
		else group.push(item)
	}
	return [...map]
}

function* pairs(list: AttributeList): Iterable<[name: string, value: AttributeValue]> {
	for (let i = 0; i + 1 < list.length; i += 2)
		yield [(list[i] as AttributeKey).name, list[i + 1] as AttributeValue]
}

function inline(list: AttributeList, separator = ' '): string {
	return Array.from(pairs(list), ([name, value]) => `${name}=${plain(value)}`).join(separator)
}

function listed(title: string, list: AttributeList): string[] {
	return list.length === 0
		? []
		: [title, ...Array.from(pairs(list), ([name, value]) => `     -> ${name}: ${typed(value)}`)]
}

function typed(value: AttributeValue): string {
	const text = plain(value)
	if (typeof value === 'string') return `Str(${text})`
	if (typeof value === 'boolean') return `Bool(${text})`
	if (typeof value === 'number') return Number.isInteger(value) ? `Int(${text})` : `Double(${text})`
	return 'double' in value ? `Double(${text})` : `Slice(${text})`
}

function plain(value: AttributeValue): string {
	if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value).toString() : String(value)
	if (typeof value !== 'object') return String(value)
	return 'double' in value ? String(value.double) : JSON.stringify(value)
}

function ids(span: Span): { trace: string; span: string; parent: string } {
	const hex = Buffer.from(span.ids.subarray(span.idsAt, span.idsAt + 32)).toString('hex')
	const parent = hex.slice(48)
	return { trace: hex.slice(0, 32), span: hex.slice(32, 48), parent: /^0+$/.test(parent) ? '' : parent }
}

function unix(bootNs: number, offset: ClockOffset): bigint {
	return BigInt(bootNs) + BigInt(offset.seconds) * 1_000_000_000n + BigInt(offset.nanos)
}

/** As Go prints a time: no trailing zeros in the fraction. */
function time(ns: bigint): string {
	const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString()
	const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
	return `${seconds.slice(0, 10)} ${seconds.slice(11, 19)}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`
}

function join(lines: readonly string[]): string {
	return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
