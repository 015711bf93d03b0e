import type { AttributeList } from './attributes.ts'
import type { Resource } from './resource.ts'

/** A metric as it is exported: one name, many points, cumulative temporality. */
export type Metric = HistogramMetric | SumMetric | GaugeMetric

interface MetricBase {
	/** OTLP name with dots. */
	readonly name: string
	readonly description: string
	/** UCUM. */
	readonly unit: string
	readonly resource: Resource
}

export interface HistogramMetric extends MetricBase {
	readonly kind: 'histogram'
	/** Upper-inclusive bounds; counts have one more element. Shared object. */
	readonly bounds: readonly number[]
	readonly points: readonly HistogramPoint[]
}

export interface HistogramPoint {
	readonly attributes: AttributeList
	/** Unix ms as number (exact to the µs): start of the unbroken run, and of this reading. */
	readonly startMs: number
	readonly timeMs: number
	readonly count: number
	readonly sum: number
	readonly bucketCounts: readonly number[]
}

export interface SumMetric extends MetricBase {
	readonly kind: 'sum'
	readonly monotonic: boolean
	readonly points: readonly NumberPoint[]
}

export interface GaugeMetric extends MetricBase {
	readonly kind: 'gauge'
	readonly points: readonly NumberPoint[]
}

export interface NumberPoint {
	readonly attributes: AttributeList
	readonly startMs: number
	readonly timeMs: number
	readonly value: number
}
