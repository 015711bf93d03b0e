import {
	type AttributeFilter,
	type AttributeSelection,
	createAttributeDecision,
	createAttributeFilter,
} from '../../../model/attribute-filter.ts'
import { type AttributeKey, attributeKey } from '../../../model/attributes.ts'
import type { MetricBatch } from '../../../model/batch.ts'
import type { HistogramMetric, HistogramPoint, Metric } from '../../../model/metric.ts'
import { KEY } from '../../../model/semconv.ts'

export interface SelectSection extends AttributeSelection {
	/** `traces`, or a glob over metric names. */
	readonly attr: string
}

const METRICS = ['server', 'client'].flatMap((side) =>
	['request.duration', 'request.body.size', 'response.body.size'].map((what) => `http.${side}.${what}`),
)
const DEFAULT_KEYS = [
	KEY.httpRequestMethod,
	KEY.urlScheme,
	KEY.httpResponseStatusCode,
	KEY.httpRoute,
	KEY.errorType,
	KEY.networkProtocolVersion,
]
const ADDRESS_KEYS = [KEY.serverAddress, KEY.serverPort]
const ALL_KEYS = [...DEFAULT_KEYS, ...ADDRESS_KEYS, KEY.clientAddress, KEY.urlPath]

/** `attributes.select` of metrics: what the aggregation must tell apart, and what each metric then shows of it. */
export interface MetricSelection {
	readonly aggregate: AttributeSelection
	readonly apply: (batch: MetricBatch) => MetricBatch
}

export function createMetricSelection(all: readonly SelectSection[]): MetricSelection {
	const sections = all.filter((section) => section.attr !== 'traces')
	const decisions = new Map(METRICS.map((metric) => [metric, decisionOf(metric, sections)]))
	if ([...decisions.values()].every((decision) => decision === undefined))
		return { aggregate: { include: [], exclude: [] }, apply: (batch) => batch }
	const wanted = ALL_KEYS.filter((key) =>
		METRICS.some((metric) => decisions.get(metric)?.(key) ?? isDefault(metric, key)),
	)
	const filters = new Map(METRICS.map((metric) => [metric, filterOf(metric, decisions.get(metric))]))
	const kept = wanted.map((key) => key.name)
	return {
		// No name at all would mean every name.
		aggregate: { include: kept.length > 0 ? kept : ['none'], exclude: [] },
		apply: ({ metrics }) => ({
			metrics: metrics.map((metric) => narrowed(metric, filters.get(metric.name))),
		}),
	}
}

type Decision = (key: AttributeKey) => boolean

/** undefined: no section speaks of this metric. */
function decisionOf(metric: string, sections: readonly SelectSection[]): Decision | undefined {
	const name = attributeKey(metric)
	const mine = sections.filter(({ attr }) => {
		// Beyla's section names may carry the unit: http_server_request_duration_seconds.
		const include = [attr.replace(/_(seconds|bytes)(_total)?$/, '')]
		return createAttributeDecision({ include, exclude: [] })(name)
	})
	if (mine.length === 0) return undefined
	const include = mine.flatMap((section) => section.include)
	const exclude = mine.flatMap((section) => section.exclude)
	const stays = createAttributeDecision({ include, exclude })
	return include.length > 0 ? stays : (key) => isDefault(metric, key) && stays(key)
}

const isDefault = (metric: string, key: AttributeKey): boolean =>
	DEFAULT_KEYS.includes(key as (typeof DEFAULT_KEYS)[number]) ||
	(metric.startsWith('http.client.') && ADDRESS_KEYS.includes(key as (typeof ADDRESS_KEYS)[number]))

function filterOf(metric: string, decision: Decision | undefined): AttributeFilter {
	const stays = decision ?? ((key: AttributeKey) => isDefault(metric, key))
	const include = ALL_KEYS.filter(stays).map((key) => key.name)
	return createAttributeFilter({ include: [...include, KEY.otelMetricOverflow.name], exclude: [] })
}

function narrowed(metric: Metric, filter: AttributeFilter | undefined): Metric {
	if (filter === undefined || metric.kind !== 'histogram') return metric
	const points = new Map<string, HistogramPoint>()
	for (const point of metric.points) {
		const attributes = filter(point.attributes)
		const id = JSON.stringify(attributes)
		const other = points.get(id)
		points.set(id, other === undefined ? { ...point, attributes } : sum(other, point))
	}
	return { ...metric, points: [...points.values()] } satisfies HistogramMetric
}

/** Cumulative histograms with the same bounds: adding them loses nothing. */
function sum(a: HistogramPoint, b: HistogramPoint): HistogramPoint {
	return {
		attributes: a.attributes,
		startMs: Math.min(a.startMs, b.startMs),
		timeMs: Math.max(a.timeMs, b.timeMs),
		count: a.count + b.count,
		sum: a.sum + b.sum,
		bucketCounts: a.bucketCounts.map((count, i) => count + (b.bucketCounts[i] ?? 0)),
	}
}

/** The same metrics with resource attributes on every point, for pages where a point stands without its resource. */
export function withResourceLabels(batch: MetricBatch, names: readonly string[]): MetricBatch {
	if (names.length === 0) return batch
	const wanted = createAttributeFilter({ include: names, exclude: [] })
	return {
		metrics: batch.metrics.map((metric): Metric => {
			const extra = wanted(metric.resource.attributes)
			if (metric.kind !== 'histogram' || extra.length === 0) return metric
			const points = metric.points.map((point) => ({
				...point,
				attributes: [...point.attributes, ...extra],
			}))
			return { ...metric, points }
		}),
	}
}
