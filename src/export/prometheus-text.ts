import type { AttributeKey, AttributeList, AttributeValue } from '../model/attributes.ts'
import type { HistogramMetric, Metric } from '../model/metric.ts'
import type { Resource } from '../model/resource.ts'
import { type Labels, type MetricFamily, renderFamilies, type Sample } from '../telemetry/metric-family.ts'
import { prometheusLabel, prometheusName } from './prometheus-names.ts'

/** Resource attributes that stand on every series; all of them stand on `target_info`. */
const ON_EVERY_SERIES = ['service.name', 'service.namespace', 'service.instance.id', 'telemetry.sdk.language']

/**
 * RED metrics as Prometheus shows them: translated names and labels, and one `target_info` for each resource. Feed it to
 * the registry as a source.
 */
export function prometheusFamilies(metrics: Iterable<Metric>): MetricFamily[] {
	const families: MetricFamily[] = []
	const resources = new Map<Resource, Labels>()
	for (const metric of metrics) {
		let target = resources.get(metric.resource)
		if (target === undefined) {
			target = labelsOf(metric.resource.attributes, (name) => ON_EVERY_SERIES.includes(name))
			resources.set(metric.resource, target)
		}
		families.push(familyOf(metric, target))
	}
	if (resources.size > 0) families.push(targetInfo(resources.keys()))
	return families
}

/** What one request for /metrics gets, by its Accept header. */
export function exposition(
	families: Iterable<MetricFamily>,
	accept = '',
): { readonly contentType: string; readonly body: string } {
	return prefersOpenMetrics(accept)
		? {
				contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
				body: `${renderFamilies(Array.from(families, toOpenMetrics))}# EOF\n`,
			}
		: { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: renderFamilies(families) }
}

function familyOf(metric: Metric, target: Labels): MetricFamily {
	const name = prometheusName(metric)
	const help = metric.description
	if (metric.kind === 'histogram')
		return lazily({ name, help, type: 'histogram' }, () => histogramSamples(metric, target))
	return lazily({ name, help, type: metric.kind === 'sum' && metric.monotonic ? 'counter' : 'gauge' }, () =>
		metric.points.map((point) => ({
			suffix: '',
			labels: merge(target, labelsOf(point.attributes)),
			value: point.value,
		})),
	)
}

/** Samples are many times the size of what they are made of: they are made when they are asked for, and not kept. */
function lazily(head: Omit<MetricFamily, 'samples'>, samples: () => Sample[]): MetricFamily {
	return {
		...head,
		get samples() {
			return samples()
		},
	}
}

function histogramSamples(metric: HistogramMetric, target: Labels): Sample[] {
	const bounds = [...metric.bounds.map(String), '+Inf'].map((bound) => ['le', bound] as const)
	const samples: Sample[] = []
	for (const point of metric.points) {
		const labels = merge(target, labelsOf(point.attributes))
		let below = 0
		for (const [i, bound] of bounds.entries()) {
			below += point.bucketCounts[i] ?? 0
			samples.push({ suffix: '_bucket', labels: [...labels, bound], value: below })
		}
		samples.push(
			{ suffix: '_sum', labels, value: point.sum },
			{ suffix: '_count', labels, value: point.count },
		)
	}
	return samples
}

function targetInfo(resources: Iterable<Resource>): MetricFamily {
	const samples = new Map<string, Sample>()
	for (const resource of resources) {
		const labels = labelsOf(resource.attributes)
		// Two resource objects may say the same (facts that changed back): a series stands there once.
		samples.set(JSON.stringify(labels), { suffix: '', labels, value: 1 })
	}
	return { name: 'target_info', help: 'Target metadata', type: 'gauge', samples: [...samples.values()] }
}

/** Absent and empty mean the same in Prometheus; labels that translate to one name are joined by `;`. */
function labelsOf(list: AttributeList, wanted: (name: string) => boolean = () => true): Labels {
	const labels = new Map<string, string>()
	for (let i = 0; i + 1 < list.length; i += 2) {
		const { name } = list[i] as AttributeKey
		const value = textOf(list[i + 1] as AttributeValue)
		if (value === '' || !wanted(name)) continue
		const label = prometheusLabel(name)
		const other = labels.get(label)
		labels.set(label, other === undefined ? value : `${other};${value}`)
	}
	return [...labels]
}

/** Labels of the point win. */
function merge(target: Labels, point: Labels): Labels {
	const names = new Set(point.map(([name]) => name))
	return [...target.filter(([name]) => !names.has(name)), ...point]
}

function textOf(value: AttributeValue): string {
	if (typeof value !== 'object') return String(value)
	return 'double' in value ? String(value.double) : JSON.stringify(value)
}

/** Counters are named without `_total`, bounds are floats, and help texts hold no quotes. */
function toOpenMetrics(family: MetricFamily): MetricFamily {
	const help = family.help.replaceAll('"', "'")
	if (family.type === 'counter') {
		// A counter must end in _total; what does not is of unknown type there, and shown as a gauge.
		if (!family.name.endsWith('_total')) return { ...family, help, type: 'gauge' }
		const samples = family.samples.map((sample) => ({ ...sample, suffix: '_total' }))
		return { ...family, help, name: family.name.slice(0, -'_total'.length), samples }
	}
	if (family.type === 'gauge') return { ...family, help }
	return { ...family, help, samples: family.samples.map(withFloatBound) }
}

function withFloatBound(sample: Sample): Sample {
	if (sample.suffix !== '_bucket') return sample
	const labels = sample.labels.map(([name, value]): readonly [string, string] =>
		name === 'le' && /^-?\d+$/.test(value) ? [name, `${value}.0`] : [name, value],
	)
	return { ...sample, labels }
}

/** True when OpenMetrics is asked for with at least the weight of plain text. */
function prefersOpenMetrics(accept: string): boolean {
	let open = 0
	let plain = 0
	for (const entry of accept.split(',')) {
		const [type = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
		const quality = parameters.find((parameter) => parameter.startsWith('q='))
		const weight = quality === undefined ? 1 : Number(quality.slice(2)) || 0
		if (type === 'application/openmetrics-text') open = Math.max(open, weight)
		else if (type === 'text/plain') plain = Math.max(plain, weight)
	}
	return open > 0 && open >= plain
}
