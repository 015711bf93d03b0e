import {
	type AttributeSelection,
	createAttributeDecision,
	createAttributeFilter,
} from '../model/attribute-filter.ts'
import { type AttributeValue, findAttribute } from '../model/attributes.ts'
import type { ClockOffset, MetricBatch, SpanBatch } from '../model/batch.ts'
import type { FallbackCount, UnreadableConnection } from '../model/exchange.ts'
import type { Metric } from '../model/metric.ts'
import type { ProcessFact } from '../model/process-fact.ts'
import { HTTP_FLAG } from '../model/record.ts'
import type { Resource } from '../model/resource.ts'
import { KEY } from '../model/semconv.ts'
import { SPAN_KIND, type Span } from '../model/span.ts'
import type { NamingProfile } from '../model/span-describer.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import { createFactWait } from './fact-wait.ts'
import { createFactTable, sameStart } from './facts.ts'
import { metricsOf } from './metrics.ts'
import type { Series } from './series.ts'
import { attributesOf, fallbackLabels, packedKey, type RedLabels } from './series-key.ts'
import { createCrowd, ServiceSeries, sameResource } from './service.ts'
import type { SeriesBudget, Side } from './side.ts'
import { createUnreadable, type UnreadableCount } from './unreadable.ts'

export interface AggregatorOptions {
	readonly meter: StageMeter
	/** The same function that correlate has: for kernel counts of processes no span was seen of. */
	readonly resourceOf: (fact: ProcessFact) => Resource
	readonly profile?: NamingProfile
	/** Series of one metric of one resource; what comes after goes into `otel.metric.overflow`. */
	readonly seriesLimit?: number
	/** Series over all resources. */
	readonly totalSeriesLimit?: number
	/** How long the series of a process that is gone are still exported. */
	readonly ttlMs?: number
	/** `attributes { select … }` of the HTTP metrics. With `include` also the attributes that are off by default. */
	readonly attributes?: AttributeSelection
}

export interface AggregateCounters {
	/** Exchanges counted in an overflow series. */
	overflowed: number
	/** Requests that the kernel counted instead of emitting a record. */
	fallbackRequests: number
	/** Of those, requests of processes that no fact is known of: not in any series. */
	fallbackUnknownProcess: number
	/** Of those, requests of processes that are not selected, made before the kernel was told: rightly in no series. */
	fallbackRejected: number
	/** Series removed after their process was gone for the TTL. */
	expired: number
}

export interface Aggregator {
	process(batch: SpanBatch): void
	/** All series as cumulative points. `timeNs` is the pipeline's time. */
	collect(timeNs: number, clockOffset: ClockOffset): MetricBatch
	/** `vor_connections_total{service_name,protocol}`. */
	unreadable(): readonly UnreadableCount[]
	readonly seriesCount: number
	readonly counters: Readonly<AggregateCounters>
}

const DEFAULT_SERIES_LIMIT = 2000
/** One takes some 15 KB of /metrics: its three histograms by bucket. */
const DEFAULT_TOTAL_LIMIT = 20_000
const DEFAULT_TTL_MS = 300_000
const OPTIONAL_KEYS = [KEY.serverAddress, KEY.serverPort, KEY.clientAddress, KEY.urlPath]
/** Beyla has these on by default, the conventions do not: a client can send any host name. */
const BEYLA_KEYS = [KEY.serverAddress, KEY.serverPort]
const NO_EXTRAS: (AttributeValue | undefined)[] = []

/** Spans and kernel counts to RED metrics. received = spans = sent + filtered; nothing is held. */
export function createAggregator(options: AggregatorOptions): Aggregator {
	const { meter, resourceOf } = options
	const selection = options.attributes ?? { include: [], exclude: [] }
	const filter = createAttributeFilter(selection)
	// Off by default: they come from whoever sends requests, or have many values.
	const extraKeys =
		selection.include.length > 0
			? OPTIONAL_KEYS.filter(createAttributeDecision(selection))
			: options.profile === 'beyla'
				? BEYLA_KEYS
				: []
	const routeOnClient = options.profile === 'beyla'
	const ttlNs = (options.ttlMs ?? DEFAULT_TTL_MS) * 1e6
	const budget: SeriesBudget = {
		perResource: options.seriesLimit ?? DEFAULT_SERIES_LIMIT,
		total: options.totalSeriesLimit ?? DEFAULT_TOTAL_LIMIT,
		used: 0,
		overflowed: 0,
	}
	const counters: AggregateCounters = {
		overflowed: 0,
		fallbackRequests: 0,
		fallbackUnknownProcess: 0,
		fallbackRejected: 0,
		expired: 0,
	}
	const facts = createFactTable()
	const services = new Map<Resource, ServiceSeries>()
	const crowd = createCrowd(budget)
	const byPid = new Map<number, ServiceSeries[]>()
	const unreadable = createUnreadable()
	let nowNs = 0
	let offset: ClockOffset = { seconds: 0, nanos: 0 }
	let lastResource: Resource | undefined
	let lastService: ServiceSeries | undefined

	function serviceOf(resource: Resource, pid: number, startNs: number): ServiceSeries {
		if (resource === lastResource) return lastService!
		let service = services.get(resource)
		if (service === undefined) {
			const ofPid = byPid.get(pid) ?? []
			service = ofPid.find(
				(each) => sameStart(each.startNs, startNs) && sameResource(each.resource, resource),
			)
			if (service === undefined && budget.used >= budget.total) {
				// Many processes that live for a moment: one more is counted with the others of its service.
				lastResource = resource
				lastService = crowd.of(resource)
				return lastService
			}
			if (service === undefined) {
				// The process has a new name: what was counted under the old one is over.
				for (const each of ofPid)
					if (each.goneNs === 0 && sameStart(each.startNs, startNs)) each.goneNs = nowNs
				service = new ServiceSeries(resource, pid, startNs, budget)
				ofPid.push(service)
				byPid.set(pid, ofPid)
			} else {
				services.delete(service.resource)
				service.resource = resource
			}
			services.set(resource, service)
		}
		lastResource = resource
		lastService = service
		return service
	}

	function seriesOf(
		side: Side,
		labels: RedLabels,
		client: boolean,
		startMs: number,
		extras: readonly (AttributeValue | undefined)[] = [],
	): Series {
		const attributes = attributesOf(labels, client, routeOnClient)
		for (const [i, key] of extraKeys.entries()) {
			const value = extras[i]
			if (value !== undefined && !attributes.includes(key)) attributes.push(key, value)
		}
		const { series, overflow } = side.resolve(filter(attributes), startMs)
		if (overflow) counters.overflowed++
		return series
	}

	function addSpan(span: Span): void {
		const { exchange } = span
		const client = span.kind === SPAN_KIND.client
		const service = serviceOf(span.resource, exchange.pid, exchange.processStartNs)
		service.usedNs = nowNs
		const side = client ? service.client : service.server
		const version10 = (exchange.flags & HTTP_FLAG.version10) !== 0
		const scheme = schemeOf(span)
		let address = ''
		let port = 0
		if (client) {
			address = textAttribute(span, 'serverAddress')
			port = numberAttribute(span, 'serverPort')
		}
		const route = client && !routeOnClient ? '' : span.route
		let name = client ? (routeOnClient ? `${address}\u0000${route}` : address) : route
		let extras: (AttributeValue | undefined)[] = NO_EXTRAS
		if (extraKeys.length > 0) {
			extras = extraKeys.map((key) => findAttribute(span.attributes, key))
			name += `\u0000${extras.join('\u0000')}`
		}
		const packed = packedKey(
			exchange.methodName,
			exchange.status,
			version10,
			scheme === 'https',
			span.errorType,
		)
		let series = side.fast(name, client ? port : 0)?.get(packed)
		if (series === undefined) {
			const labels: RedLabels = {
				method: exchange.methodName,
				status: exchange.status,
				scheme,
				version: version10 ? '1.0' : '1.1',
				errorType: span.errorType,
				route,
				serverAddress: address,
				serverPort: port,
			}
			const before = counters.overflowed
			series = seriesOf(side, labels, client, unixMs(span.startNs, offset), extras)
			if (counters.overflowed === before) side.remember(name, client ? port : 0, packed, series)
		}
		series.add(
			span.endNs - span.startNs,
			exchange.requestBodySize,
			exchange.responseBodySize,
			exchange.status !== 0,
		)
	}

	/** False: nothing is known yet of the process. */
	function addFallback(count: FallbackCount): boolean {
		let service = byPid
			.get(count.pid)
			?.findLast((each) => sameStart(each.startNs, count.processStartNs) && each.goneNs === 0)
		if (service === undefined) {
			const fact = facts.find(count.pid, count.processStartNs)
			if (fact === undefined) return false
			if (fact.selection === 'rejected') {
				counters.fallbackRejected += count.count
				return true
			}
			service = serviceOf(resourceOf(fact), count.pid, count.processStartNs)
		}
		const client = count.role === 'client'
		const side = client ? service.client : service.server
		seriesOf(side, fallbackLabels(count), client, unixMs(nowNs, offset)).merge(count)
		return true
	}

	function addConnection(connection: UnreadableConnection): boolean {
		const fact = facts.find(connection.pid, connection.processStartNs)
		if (fact === undefined) return false
		unreadable.add(connection, fact.selection === 'rejected' ? '' : fact.serviceName)
		return true
	}

	const fallbacks = createFactWait(addFallback, (count) => {
		counters.fallbackUnknownProcess += count.count
	})
	const connections = createFactWait(addConnection, (connection) =>
		unreadable.add(connection, 'unknown_service'),
	)

	function noteExits(batch: SpanBatch): void {
		for (const fact of batch.processes) {
			if (fact.exitNs === 0) continue
			for (const service of byPid.get(fact.pid) ?? [])
				if (sameStart(service.startNs, fact.startNs)) service.goneNs = fact.exitNs
		}
	}

	function expire(timeNs: number): void {
		for (const [resource, service] of services) {
			if (service.goneNs === 0) {
				// The exit may have been told before the first span came.
				service.goneNs = facts.find(service.pid, service.startNs)?.exitNs ?? 0
			}
			// A name that a process had before may come back, and what an earlier image did may come late.
			if (service.goneNs === 0 || timeNs - Math.max(service.goneNs, service.usedNs) < ttlNs) continue
			services.delete(resource)
			const left = (byPid.get(service.pid) ?? []).filter((each) => each !== service)
			if (left.length === 0) byPid.delete(service.pid)
			else byPid.set(service.pid, left)
			budget.used -= service.seriesCount
			counters.expired += service.seriesCount
		}
		lastResource = undefined
		facts.forget(timeNs - ttlNs)
	}

	return {
		counters,
		unreadable: () => unreadable.counts(),
		get seriesCount() {
			return budget.used
		},
		process(batch) {
			nowNs = batch.timeNs
			offset = batch.clockOffset
			facts.learn(batch.processes)
			const { spans } = batch
			let filtered = 0
			for (let i = 0; i < spans.length; i++) {
				const span = spans[i]!
				if (span.skipMetrics) filtered++
				else addSpan(span)
			}
			for (const count of batch.fallback) counters.fallbackRequests += count.count
			fallbacks.offer(batch.fallback, nowNs)
			connections.offer(batch.unreadable, nowNs)
			noteExits(batch)
			meter.received(spans.length)
			meter.sent(spans.length - filtered)
			meter.dropped(filtered, 'filtered', true)
		},
		collect(timeNs, clockOffset) {
			expire(timeNs)
			const timeMs = unixMs(timeNs, clockOffset)
			const metrics: Metric[] = []
			let points = 0
			for (const service of services.values()) points += metricsOf(service, timeMs, metrics)
			for (const service of crowd.all()) points += metricsOf(service, timeMs, metrics)
			meter.produced(points, 'metric_point')
			return { metrics }
		},
	}
}

function schemeOf(span: Span): string {
	return textAttribute(span, 'urlScheme')
}

function textAttribute(span: Span, key: 'urlScheme' | 'serverAddress'): string {
	const value = findAttribute(span.attributes, KEY[key])
	return typeof value === 'string' ? value : ''
}

function numberAttribute(span: Span, key: 'serverPort'): number {
	const value = findAttribute(span.attributes, KEY[key])
	return typeof value === 'number' ? value : 0
}

/** Unix milliseconds of a boot-clock time. */
export function unixMs(timeNs: number, offset: ClockOffset): number {
	return offset.seconds * 1000 + (offset.nanos + timeNs) / 1e6
}
