import { type AttributeKey, attributeKey, findAttribute } from '../model/attributes.ts'
import type { HistogramMetric, HistogramPoint, Metric } from '../model/metric.ts'
import type { TopQuantile, TopService, TopSide, TopSnapshot } from './top-snapshot.ts'

export interface TopSources {
	/** RED metrics as `ebpf.aggregate` keeps them: cumulative histograms. */
	metrics(): Iterable<Metric>
	/** Totals since the start. */
	unreadable(): Iterable<{
		readonly service: string
		readonly protocol: string
		readonly connections: number
	}>
	spans(): number
	dropped(): readonly { readonly reason: string; readonly count: number }[]
	now?(): number
}

/** Rates compare with a reading at least this old, where there is one. */
const windowMs = 5_000
/** Readings are kept at least this far apart, however often the table is asked for. */
const spacingMs = 900
const keptReadings = 12

/** Sum of the points of one service and side; counts have one more element than bounds. */
interface Totals {
	/** Unix ms of the earliest point's start. */
	startMs: number
	requests: number
	errors: number
	bounds: readonly number[]
	counts: number[]
}

interface ServiceTotals {
	readonly service: string
	readonly namespace: string
	language: string
	in: Totals | undefined
	out: Totals | undefined
}

interface Reading {
	readonly timeMs: number
	readonly services: Map<string, ServiceTotals>
}

const errorType = attributeKey('error.type')
const sdkLanguage = attributeKey('telemetry.sdk.language')

/** Turns cumulative histograms into rates and quantiles of the last seconds. Works only when asked: no timer. */
export function createTopSampler(sources: TopSources): () => TopSnapshot {
	const now = sources.now ?? Date.now
	const readings: Reading[] = []

	return () => {
		const current = read(sources.metrics(), now())
		const earlier = readings.findLast((reading) => current.timeMs - reading.timeMs >= windowMs) ?? readings[0]
		const newest = readings.at(-1)
		if (newest === undefined || current.timeMs - newest.timeMs >= spacingMs) {
			readings.push(current)
			if (readings.length > keptReadings) readings.shift()
		}
		const unreadable = new Map<string, { protocol: string; connections: number }[]>()
		for (const { service, protocol, connections } of sources.unreadable()) {
			const list = unreadable.get(service)
			if (list === undefined) unreadable.set(service, [{ protocol, connections }])
			else list.push({ protocol, connections })
		}
		const services: TopService[] = []
		for (const [key, totals] of current.services) {
			const before = earlier?.services.get(key)
			services.push({
				service: totals.service,
				namespace: totals.namespace,
				language: totals.language,
				in: side(totals.in, before?.in, current.timeMs, earlier?.timeMs),
				out: side(totals.out, before?.out, current.timeMs, earlier?.timeMs),
				unreadable: unreadable.get(totals.service) ?? [],
			})
			unreadable.delete(totals.service)
		}
		for (const [service, list] of unreadable) {
			services.push({ service, namespace: '', language: '', in: null, out: null, unreadable: list })
		}
		services.sort(
			(a, b) => busyness(b) - busyness(a) || total(b) - total(a) || a.service.localeCompare(b.service),
		)
		const windowSeconds = earlier === undefined ? 0 : (current.timeMs - earlier.timeMs) / 1e3
		return {
			timeMs: current.timeMs,
			windowSeconds,
			services,
			spans: sources.spans(),
			dropped: merged(sources.dropped()),
		}
	}
}

/** Several stages may drop for one reason. */
function merged(entries: TopSnapshot['dropped']): TopSnapshot['dropped'] {
	const counts = new Map<string, number>()
	for (const { reason, count } of entries) counts.set(reason, (counts.get(reason) ?? 0) + count)
	return [...counts].map(([reason, count]) => ({ reason, count }))
}

function read(metrics: Iterable<Metric>, timeMs: number): Reading {
	const services = new Map<string, ServiceTotals>()
	for (const metric of metrics) {
		if (metric.kind !== 'histogram') continue
		const direction =
			metric.name === 'http.server.request.duration'
				? 'in'
				: metric.name === 'http.client.request.duration'
					? 'out'
					: undefined
		if (direction === undefined) continue
		const service = serviceOf(services, metric)
		service[direction] ??= {
			startMs: Number.POSITIVE_INFINITY,
			requests: 0,
			errors: 0,
			bounds: metric.bounds,
			counts: new Array<number>(metric.bounds.length + 1).fill(0),
		}
		for (const point of metric.points) addPoint(service[direction], metric.bounds, point)
	}
	return { timeMs, services }
}

function serviceOf(services: Map<string, ServiceTotals>, metric: HistogramMetric): ServiceTotals {
	const { serviceName, serviceNamespace, attributes } = metric.resource
	const key = `${serviceNamespace}\u0000${serviceName}`
	let service = services.get(key)
	if (service === undefined) {
		service = {
			service: serviceName,
			namespace: serviceNamespace,
			language: '',
			in: undefined,
			out: undefined,
		}
		services.set(key, service)
	}
	if (service.language === '') service.language = textAttribute(attributes, sdkLanguage)
	return service
}

function textAttribute(list: Parameters<typeof findAttribute>[0], key: AttributeKey): string {
	const value = findAttribute(list, key)
	return typeof value === 'string' ? value : ''
}

function addPoint(totals: Totals, bounds: readonly number[], point: HistogramPoint): void {
	totals.startMs = Math.min(totals.startMs, point.startMs)
	totals.requests += point.count
	if (findAttribute(point.attributes, errorType) !== undefined) totals.errors += point.count
	// Other bounds (a second pipeline with its own) cannot be added; the counts above stay right without them.
	if (bounds.length !== totals.bounds.length || bounds.some((bound, i) => bound !== totals.bounds[i])) return
	for (let i = 0; i < totals.counts.length; i++) totals.counts[i]! += point.bucketCounts[i] ?? 0
}

function side(
	totals: Totals | undefined,
	before: Totals | undefined,
	timeMs: number,
	earlierMs: number | undefined,
): TopSide | null {
	if (totals === undefined || totals.requests === 0) return null
	const seconds = (timeMs - (earlierMs ?? totals.startMs)) / 1e3
	// A total that went down was reset (a reload, an expired series): what it shows now came after that.
	const base = before !== undefined && before.requests <= totals.requests ? before : undefined
	const requests = totals.requests - (base?.requests ?? 0)
	const errors = Math.max(0, totals.errors - (base?.errors ?? 0))
	const counts = totals.counts.map((count, i) => Math.max(0, count - (base?.counts[i] ?? 0)))
	return {
		requests: totals.requests,
		errors: totals.errors,
		requestsPerSecond: seconds > 0 ? requests / seconds : 0,
		errorRatio: requests > 0 ? Math.min(1, errors / requests) : 0,
		p50: quantile(0.5, totals.bounds, counts),
		p95: quantile(0.95, totals.bounds, counts),
		p99: quantile(0.99, totals.bounds, counts),
	}
}

/** As Prometheus' histogram_quantile, but for the outer buckets, where it gives the bound it knows. */
export function quantile(
	q: number,
	bounds: readonly number[],
	counts: readonly number[],
): TopQuantile | null {
	const total = counts.reduce((sum, count) => sum + count, 0)
	if (total === 0) return null
	const rank = q * total
	let below = 0
	for (let i = 0; i < bounds.length; i++) {
		const count = counts[i]!
		if (below + count >= rank && count > 0) {
			if (i === 0) return { seconds: bounds[0]!, place: 'below' }
			const low = bounds[i - 1]!
			return { seconds: low + ((bounds[i]! - low) * (rank - below)) / count, place: 'at' }
		}
		below += count
	}
	return { seconds: bounds.at(-1) ?? 0, place: 'above' }
}

function busyness(service: TopService): number {
	return (service.in?.requestsPerSecond ?? 0) + (service.out?.requestsPerSecond ?? 0)
}

function total(service: TopService): number {
	return (service.in?.requests ?? 0) + (service.out?.requests ?? 0)
}
