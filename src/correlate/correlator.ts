import type { ExchangeBatch, SpanBatch } from '../model/batch.ts'
import type { Exchange } from '../model/exchange.ts'
import type { ProcessFact } from '../model/process-fact.ts'
import { ABSENT_NAMES, EVIDENCE_NAMES } from '../model/record.ts'
import type { Resource } from '../model/resource.ts'
import type { Span } from '../model/span.ts'
import type { SpanContext, SpanDescriber } from '../model/span-describer.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import { type AttributeFilter, keepAll } from './attribute-filter.ts'
import { exportedSignal, type OtlpSignal } from './otlp-exporters.ts'
import { createPeerTable } from './peers.ts'
import { createProcessTable, type ProcessEntry } from './process-table.ts'
import { createRoutes, type RouteOptions } from './routes/index.ts'

export interface CorrelatorOptions {
	readonly meter: StageMeter
	/** From `createDescribers` of src/protocols. */
	readonly describers: readonly SpanDescriber[]
	/** From src/process. */
	readonly resourceOf: (fact: ProcessFact) => Resource
	readonly routes?: Partial<RouteOptions>
	readonly attributes?: AttributeFilter
	/** A program was seen exporting a signal over OTLP/HTTP itself. Once per process and signal. */
	readonly onOtlpExporter?: (pid: number, startNs: number, signal: OtlpSignal) => void
	/** Leave out signals that programs export themselves. */
	readonly excludeOtelInstrumented?: boolean
}

/** Plain totals for the component to expose. */
export interface CorrelateCounters {
	/** `vor_parent_total{evidence}`: index as `EVIDENCE_NAMES`. */
	readonly parentByEvidence: number[]
	/** `vor_parent_absent_total{reason}`: index as `ABSENT_NAMES`. */
	readonly parentAbsent: number[]
	/** Exchanges of processes no fact had arrived for. */
	unknownProcess: number
}

export interface Correlator {
	process(batch: ExchangeBatch): SpanBatch[]
	readonly counters: CorrelateCounters
}

const BATCH_SPANS = 512

/** Exchanges to spans with process identity, route and names. received = sent + filtered; nothing is held. */
export function createCorrelator(options: CorrelatorOptions): Correlator {
	const { meter, onOtlpExporter } = options
	const exclude = options.excludeOtelInstrumented ?? true
	const filter = options.attributes ?? keepAll
	const routes = createRoutes(options.routes)
	const processes = createProcessTable(options.resourceOf)
	const peers = createPeerTable()
	const describers = new Map(options.describers.map((each) => [each.protocol, each]))
	const counters: CorrelateCounters = {
		parentByEvidence: EVIDENCE_NAMES.map(() => 0),
		parentAbsent: ABSENT_NAMES.map(() => 0),
		unknownProcess: 0,
	}
	// One object for all calls: the describers copy what they keep.
	const context: SpanContext = { resource: undefined as unknown as Resource, route: '', peerService: '' }

	function processOf(exchange: Exchange): ProcessEntry {
		const entry = processes.find(exchange.pid, exchange.processStartNs)
		if (entry !== undefined && !entry.provisional) return entry
		counters.unknownProcess++
		return entry ?? processes.provisional(exchange.pid, exchange.processStartNs)
	}

	function noteExport(entry: ProcessEntry, exchange: Exchange): void {
		const signal = exportedSignal(exchange)
		if (signal === undefined) return
		const known = signal === 'traces' ? entry.exportsTraces : entry.exportsMetrics
		if (known) return
		if (signal === 'traces') entry.exportsTraces = true
		else entry.exportsMetrics = true
		onOtlpExporter?.(exchange.pid, exchange.processStartNs, signal)
	}

	function countParent(exchange: Exchange): void {
		const { evidence, absent } = exchange
		if (evidence !== 0 && evidence < EVIDENCE_NAMES.length) counters.parentByEvidence[evidence]!++
		else if (exchange.role === 'client' && absent < ABSENT_NAMES.length) counters.parentAbsent[absent]!++
	}

	function spanOf(exchange: Exchange, entry: ProcessEntry): Span | undefined {
		const describer = describers.get(exchange.protocol)
		if (describer === undefined) return undefined
		const path = describer.path(exchange)
		const ignored = path === '' ? 'none' : routes.ignored(path)
		if (ignored === 'all') return undefined
		context.resource = entry.resource
		context.route = path === '' ? '' : routes.routeOf(entry.fact.serviceName, path)
		context.peerService = exchange.role === 'client' ? peers.serviceOf(exchange) : ''
		const span = describer.describe(exchange, context)
		if (filter !== keepAll) span.attributes = filter(span.attributes)
		const exports = entry.fact.exportsOtlp
		span.skipTraces =
			ignored === 'traces' || (exclude && (entry.exportsTraces || exports === 'traces' || exports === 'both'))
		span.skipMetrics =
			ignored === 'metrics' ||
			(exclude && (entry.exportsMetrics || exports === 'metrics' || exports === 'both'))
		return span
	}

	return {
		counters,
		process(batch) {
			processes.learn(batch.processes)
			processes.sweep(batch.timeNs)
			const { exchanges } = batch
			const batches: SpanBatch[] = []
			let spans: Span[] = []
			let made = 0
			let filtered = 0
			for (let i = 0; i < exchanges.length; i++) {
				const exchange = exchanges[i]!
				const entry = processOf(exchange)
				if (exchange.role === 'server') peers.learn(exchange, entry)
				else noteExport(entry, exchange)
				const span = entry.fact.selection === 'rejected' ? undefined : spanOf(exchange, entry)
				if (span === undefined) {
					filtered++
					continue
				}
				countParent(exchange)
				made++
				if (spans.length === BATCH_SPANS) {
					batches.push(contextOf(batch, spans, batches.length === 0))
					spans = []
				}
				spans.push(span)
			}
			batches.push(contextOf(batch, spans, batches.length === 0))
			meter.received(exchanges.length)
			meter.sent(made)
			meter.dropped(filtered, 'filtered', true)
			meter.produced(made, 'span')
			return batches
		},
	}
}

/** Facts and counts travel once, with the first part. */
function contextOf(batch: ExchangeBatch, spans: readonly Span[], first: boolean): SpanBatch {
	return {
		timeNs: batch.timeNs,
		clockOffset: batch.clockOffset,
		processes: first ? batch.processes : [],
		fallback: first ? batch.fallback : [],
		unreadable: first ? batch.unreadable : [],
		spans,
	}
}
