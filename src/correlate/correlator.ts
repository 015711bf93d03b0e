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
import { dropUnseenParent, parentIsUnseen } from './unseen-parent.ts'

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
	/** Longest wait of an exchange for the first fact about its process. */
	readonly factWaitMs?: number
}

/** Plain totals for the component to expose. */
export interface CorrelateCounters {
	/** `vor_parent_total{evidence}`: index as `EVIDENCE_NAMES`. */
	readonly parentByEvidence: number[]
	/** Server spans whose client on this host is not exported: the parent was taken off. */
	parentUnseen: number
	/** `vor_parent_absent_total{reason}`: index as `ABSENT_NAMES`. */
	readonly parentAbsent: number[]
	/** Exchanges of processes no fact had arrived for within the wait: exported as `unknown_service`. */
	unknownProcess: number
}

export interface Correlator {
	process(batch: ExchangeBatch): SpanBatch[]
	/** What waits for a fact, as `unknown_service` where none came. For the end. */
	flush(): SpanBatch[]
	readonly held: number
	readonly counters: CorrelateCounters
}

interface Waiting {
	readonly exchange: Exchange
	readonly sinceNs: number
}

const BATCH_SPANS = 512
const DEFAULT_FACT_WAIT_MS = 1000
/** Exchanges waiting at once; what comes after does not wait. */
const MAX_WAITING = 16_384

/**
 * Exchanges to spans with process identity, route and names. received = sent + filtered + held; held are only exchanges
 * whose process nothing is known of yet (it was running before the start and is being looked at).
 */
export function createCorrelator(options: CorrelatorOptions): Correlator {
	const { meter, onOtlpExporter } = options
	const exclude = options.excludeOtelInstrumented ?? true
	const filter = options.attributes ?? keepAll
	const factWaitNs = (options.factWaitMs ?? DEFAULT_FACT_WAIT_MS) * 1e6
	const routes = createRoutes(options.routes)
	const processes = createProcessTable(options.resourceOf)
	const peers = createPeerTable()
	const describers = new Map(options.describers.map((each) => [each.protocol, each]))
	const counters: CorrelateCounters = {
		parentByEvidence: EVIDENCE_NAMES.map(() => 0),
		parentAbsent: ABSENT_NAMES.map(() => 0),
		parentUnseen: 0,
		unknownProcess: 0,
	}
	let waiting: Waiting[] = []
	let newest: ExchangeBatch | undefined
	let filtered = 0
	meter.held(() => waiting.length)
	// One object for all calls: the describers copy what they keep.
	const context: SpanContext = { resource: undefined as unknown as Resource, route: '', peerService: '' }

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
		if (exchange.peerPid !== 0 && parentIsUnseen(exchange, processes, exclude)) {
			counters.parentUnseen++
			dropUnseenParent(span)
		}
		if (filter !== keepAll) span.attributes = filter(span.attributes)
		const exports = entry.fact.exportsOtlp
		span.skipTraces =
			ignored === 'traces' || (exclude && (entry.exportsTraces || exports === 'traces' || exports === 'both'))
		span.skipMetrics =
			ignored === 'metrics' ||
			(exclude && (entry.exportsMetrics || exports === 'metrics' || exports === 'both'))
		return span
	}

	function take(exchange: Exchange, entry: ProcessEntry, spans: Span[]): void {
		if (exchange.role === 'server') peers.learn(exchange, entry)
		else noteExport(entry, exchange)
		const span = entry.fact.selection === 'rejected' ? undefined : spanOf(exchange, entry)
		if (span === undefined) {
			filtered++
			return
		}
		countParent(exchange)
		spans.push(span)
	}

	function takeUnknown(exchange: Exchange, spans: Span[]): void {
		counters.unknownProcess++
		const { pid, processStartNs, startNs } = exchange
		take(
			exchange,
			processes.find(pid, processStartNs, startNs) ?? processes.provisional(pid, processStartNs),
			spans,
		)
	}

	function takeWaiting(timeNs: number, all: boolean, spans: Span[]): void {
		if (waiting.length === 0) return
		const before = waiting
		waiting = []
		for (const each of before) {
			const { pid, processStartNs, startNs } = each.exchange
			const entry = processes.find(pid, processStartNs, startNs)
			if (entry !== undefined && !entry.provisional) take(each.exchange, entry, spans)
			else if (all || timeNs - each.sinceNs >= factWaitNs) takeUnknown(each.exchange, spans)
			else waiting.push(each)
		}
	}

	function account(received: number, spans: readonly Span[]): void {
		meter.received(received)
		meter.sent(spans.length)
		meter.dropped(filtered, 'filtered', true)
		meter.produced(spans.length, 'span')
		filtered = 0
	}

	return {
		counters,
		get held() {
			return waiting.length
		},
		process(batch) {
			newest = batch
			processes.learn(batch.processes)
			processes.sweep(batch.timeNs)
			const { exchanges } = batch
			const spans: Span[] = []
			takeWaiting(batch.timeNs, false, spans)
			for (let i = 0; i < exchanges.length; i++) {
				const exchange = exchanges[i]!
				const entry = processes.find(exchange.pid, exchange.processStartNs, exchange.startNs)
				if (entry !== undefined && !entry.provisional) take(exchange, entry, spans)
				else if (entry === undefined && factWaitNs > 0 && waiting.length < MAX_WAITING)
					waiting.push({ exchange, sinceNs: batch.timeNs })
				else takeUnknown(exchange, spans)
			}
			account(exchanges.length, spans)
			return split(batch, spans, true)
		},
		flush() {
			const spans: Span[] = []
			takeWaiting(newest?.timeNs ?? 0, true, spans)
			account(0, spans)
			return newest === undefined || spans.length === 0 ? [] : split(newest, spans, false)
		},
	}
}

/** At most 512 spans each. Facts and counts travel once, with the first part. */
function split(batch: ExchangeBatch, spans: readonly Span[], withContext: boolean): SpanBatch[] {
	if (spans.length <= BATCH_SPANS) return [contextOf(batch, spans, withContext)]
	const batches: SpanBatch[] = []
	for (let at = 0; at < spans.length; at += BATCH_SPANS)
		batches.push(contextOf(batch, spans.slice(at, at + BATCH_SPANS), withContext && at === 0))
	return batches
}

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
