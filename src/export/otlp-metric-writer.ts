import { ValueType } from '@opentelemetry/api'
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import type { AttributeKey, AttributeList } from '../model/attributes.ts'
import type { Metric } from '../model/metric.ts'
import type { Resource } from '../model/resource.ts'
import type { EncodedRequest } from './otlp-trace-writer.ts'

type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0]
type MetricData = ResourceMetrics['scopeMetrics'][number]['metrics'][number]
type HrTime = MetricData['dataPoints'][number]['startTime']

export interface MetricWriterOptions {
	readonly scopeName: string
	readonly scopeVersion: string
	readonly maxBytes: number
}

/** Numbers of the SDK's enums, which exist only at run time in a package that we do not depend on. */
const HISTOGRAM = 0
const GAUGE = 2
const SUM = 3
const CUMULATIVE = 1

/**
 * Encodes a reading with OpenTelemetry's own encoder; one request holds many resources, none is longer than the limit.
 * Gives the number of points that no request can hold.
 */
export function encodeMetrics(
	metrics: readonly Metric[],
	options: MetricWriterOptions,
	emit: (request: EncodedRequest) => void,
): number {
	let tooLarge = 0
	let parts: Uint8Array[] = []
	let size = 0
	let items = 0
	const flush = () => {
		// Requests of repeated fields only: one after the other they are one request.
		if (items > 0) emit({ bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), items })
		parts = []
		size = 0
		items = 0
	}
	const add = (resource: Resource, group: readonly Metric[]): void => {
		const count = countPoints(group)
		if (count === 0) return
		const bytes = encodeResource(resource, group, options)
		if (bytes.length > options.maxBytes) {
			const halves = halve(group)
			if (halves === undefined) tooLarge += count
			else for (const half of halves) add(resource, half)
			return
		}
		if (size + bytes.length > options.maxBytes) flush()
		parts.push(bytes)
		size += bytes.length
		items += count
	}
	const groups = new Map<Resource, Metric[]>()
	for (const metric of metrics) {
		const group = groups.get(metric.resource)
		if (group === undefined) groups.set(metric.resource, [metric])
		else group.push(metric)
	}
	for (const [resource, group] of groups) add(resource, group)
	flush()
	return tooLarge
}

export function countPoints(metrics: readonly Metric[]): number {
	let count = 0
	for (const metric of metrics) count += metric.points.length
	return count
}

function halve(group: readonly Metric[]): (readonly Metric[])[] | undefined {
	const [first] = group
	if (first === undefined) return undefined
	const middle = group.length >> 1
	if (middle > 0) return [group.slice(0, middle), group.slice(middle)]
	const points = first.points.length >> 1
	if (points === 0) return undefined
	return [[withPoints(first, 0, points)], [withPoints(first, points, first.points.length)]]
}

function withPoints(metric: Metric, from: number, to: number): Metric {
	return metric.kind === 'histogram'
		? { ...metric, points: metric.points.slice(from, to) }
		: { ...metric, points: metric.points.slice(from, to) }
}

function encodeResource(
	resource: Resource,
	metrics: readonly Metric[],
	options: MetricWriterOptions,
): Uint8Array {
	const request = {
		// Only the attributes of the SDK's resource object are read by the encoder.
		resource: { attributes: toRecord(resource.attributes) } as unknown as ResourceMetrics['resource'],
		scopeMetrics: [
			{
				scope: { name: options.scopeName, version: options.scopeVersion },
				metrics: metrics.map(toMetricData),
			},
		],
	}
	const bytes = ProtobufMetricsSerializer.serializeRequest(request)
	if (bytes === undefined) throw new TypeError('the metrics encoder gave no bytes')
	return bytes
}

function toMetricData(metric: Metric): MetricData {
	const descriptor = { name: metric.name, description: metric.description, unit: metric.unit }
	if (metric.kind === 'histogram') {
		return {
			descriptor: { ...descriptor, valueType: ValueType.DOUBLE },
			aggregationTemporality: CUMULATIVE,
			dataPointType: HISTOGRAM,
			dataPoints: metric.points.map((point) => ({
				attributes: toRecord(point.attributes),
				startTime: toHrTime(point.startMs),
				endTime: toHrTime(point.timeMs),
				value: {
					buckets: { boundaries: [...metric.bounds], counts: [...point.bucketCounts] },
					count: point.count,
					sum: point.sum,
				},
			})),
		}
	}
	const dataPoints = metric.points.map((point) => ({
		attributes: toRecord(point.attributes),
		startTime: toHrTime(point.startMs),
		endTime: toHrTime(point.timeMs),
		value: point.value,
	}))
	if (metric.kind === 'gauge') {
		return {
			descriptor: { ...descriptor, valueType: ValueType.DOUBLE },
			aggregationTemporality: CUMULATIVE,
			dataPointType: GAUGE,
			dataPoints,
		}
	}
	// Seconds are never ints, not even while they happen to be whole: a series keeps its type.
	const whole = metric.unit !== 's' && metric.points.every((point) => Number.isSafeInteger(point.value))
	return {
		descriptor: { ...descriptor, valueType: whole ? ValueType.INT : ValueType.DOUBLE },
		aggregationTemporality: CUMULATIVE,
		dataPointType: SUM,
		dataPoints,
		isMonotonic: metric.monotonic,
	}
}

/** The encoder writes whole numbers as ints, so a `Double` that is whole travels as int here; our metrics have none. */
function toRecord(list: AttributeList): Record<string, string | number | boolean | string[]> {
	const record: Record<string, string | number | boolean | string[]> = {}
	for (let i = 0; i + 1 < list.length; i += 2) {
		const value = list[i + 1]!
		const name = (list[i] as AttributeKey).name
		if (typeof value !== 'object') record[name] = value
		else if ('double' in value) record[name] = value.double
		else record[name] = [...(value as readonly string[])]
	}
	return record
}

/** Unix ms are exact to the µs, and are rounded to it. */
function toHrTime(ms: number): HrTime {
	const micros = Math.round(ms * 1000)
	const seconds = Math.floor(micros / 1e6)
	return [seconds, (micros - seconds * 1e6) * 1000]
}
