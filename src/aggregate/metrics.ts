import type { HistogramMetric, HistogramPoint, Metric } from '../model/metric.ts'
import { DURATION_BOUNDS_S, SIZE_BOUNDS_BYTES } from '../model/semconv.ts'
import type { Series } from './series.ts'
import type { ServiceSeries } from './service.ts'
import type { Side } from './side.ts'

interface Instrument {
	readonly suffix: string
	readonly unit: string
	readonly bounds: readonly number[]
	readonly descriptions: { readonly server: string; readonly client: string }
	counts(series: Series): Float64Array
	sum(series: Series): number
}

const INSTRUMENTS: readonly Instrument[] = [
	{
		suffix: 'request.duration',
		unit: 's',
		bounds: DURATION_BOUNDS_S,
		descriptions: {
			server: 'Duration of HTTP server requests.',
			client: 'Duration of HTTP client requests.',
		},
		counts: (series) => series.duration,
		sum: (series) => series.durationSumNs / 1e9,
	},
	{
		suffix: 'request.body.size',
		unit: 'By',
		bounds: SIZE_BOUNDS_BYTES,
		descriptions: {
			server: 'Size of HTTP server request bodies.',
			client: 'Size of HTTP client request bodies.',
		},
		counts: (series) => series.requestSize,
		sum: (series) => series.requestSizeSum,
	},
	{
		suffix: 'response.body.size',
		unit: 'By',
		bounds: SIZE_BOUNDS_BYTES,
		descriptions: {
			server: 'Size of HTTP server response bodies.',
			client: 'Size of HTTP client response bodies.',
		},
		counts: (series) => series.responseSize,
		sum: (series) => series.responseSizeSum,
	},
]

/** Adds the metrics of one resource to `into`; returns the number of points. */
export function metricsOf(service: ServiceSeries, timeMs: number, into: Metric[]): number {
	return (
		sideMetrics(service, service.server, 'server', timeMs, into) +
		sideMetrics(service, service.client, 'client', timeMs, into)
	)
}

function sideMetrics(
	service: ServiceSeries,
	side: Side,
	name: 'server' | 'client',
	timeMs: number,
	into: Metric[],
): number {
	if (side.series.size === 0) return 0
	let total = 0
	for (const instrument of INSTRUMENTS) {
		const points: HistogramPoint[] = []
		for (const series of side.series.values()) {
			const bucketCounts = Array.from(instrument.counts(series))
			let count = 0
			for (const bucket of bucketCounts) count += bucket
			if (count === 0) continue
			points.push({
				attributes: series.attributes,
				startMs: Math.min(series.startMs, timeMs),
				timeMs,
				count,
				sum: instrument.sum(series),
				bucketCounts,
			})
		}
		if (points.length === 0) continue
		total += points.length
		const metric: HistogramMetric = {
			kind: 'histogram',
			name: `http.${name}.${instrument.suffix}`,
			description: instrument.descriptions[name],
			unit: instrument.unit,
			resource: service.resource,
			bounds: instrument.bounds,
			points,
		}
		into.push(metric)
	}
	return total
}
