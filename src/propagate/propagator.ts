import type { ClockOffset, SpanBatch } from '../model/batch.ts'
import type { Exchange } from '../model/exchange.ts'
import { EVIDENCE, EVIDENCE_NAMES, HTTP_FLAG, ID_OFFSET } from '../model/record.ts'
import { KEY } from '../model/semconv.ts'
import { SPAN_KIND, type Span } from '../model/span.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import { hasParent, reidentify, sameTrace } from './ids.ts'
import { createLocalAddresses, joinKey, sameRequest } from './join-key.ts'
import { createSolitary } from './solitary.ts'
import { createTraceRenames } from './trace-renames.ts'
import { createTraceUse } from './trace-use.ts'

export interface PropagatorOptions {
	readonly meter: StageMeter
	/** Longest wait of a server span for the client end of its request. */
	readonly holdMs?: number
	/** Server spans waiting at once; more, and the oldest goes on as it is. */
	readonly maxHeld?: number
	/** Adds `vor.parent.evidence` to what is joined here. */
	readonly debugAttributes?: boolean
}

export interface PropagateCounters {
	/** Server span took over its client's trace. */
	adopted: number
	/** Client span that was a root took over its server's trace, which had spans already. */
	clientMoved: number
	/** The request's header named the client's own trace: only the parent was set. */
	sameTrace: number
	/** The request's header named another trace: it stays. */
	headerWon: number
	/** Both traces had exported spans: they stay two, the server span without this parent. */
	conflicts: number
	/** No client end within the hold. */
	timeouts: number
	/** Went on at once: the client end of its connection is not traced. */
	solitary: number
	/** Went on early: `maxHeld`, or another request under the same key. */
	evicted: number
	/** A parent was taken off because its trace may have been renamed and that was forgotten. */
	parentsCut: number
}

export interface Propagator {
	process(batch: SpanBatch): SpanBatch[]
	/** Spans whose hold is over at `timeNs`; with `all` every one that is held. For a timer and the end. */
	flush(timeNs: number, all?: boolean): SpanBatch[]
	readonly held: number
	readonly counters: Readonly<PropagateCounters>
}

interface Held {
	readonly span: Span
	readonly sinceNs: number
}

interface RecentClient {
	readonly exchange: Exchange
	/** As exported. */
	readonly ids: Uint8Array
	readonly idsAt: number
	readonly traceFlags: number
	readonly sinceNs: number
}

const BATCH_SPANS = 512
const DEFAULT_HOLD_MS = 1000
const DEFAULT_MAX_HELD = 16_384
const MAX_CLIENTS = 32_768
/** The longest time between two drains. */
const VAIN_NS = 50e6

/**
 * Final ids. Most spans have them from the kernel and pass; server spans that the kernel could not join with the client end
 * of their request on this host wait for it here.
 *
 * The rule that keeps traces whole: a span's trace id changes only while no exported span shares it, and what comes out of
 * the kernel later with the old id follows (`TraceRenames`). So, when both ends have met: the header's trace wins if it
 * differs; else the server span moves to the client's trace if nothing of its own was exported (`TraceUse`); else the client
 * span moves to the server's, if it is a root that was not exported yet; else both stay and no parent is set.
 */
export function createPropagator(options: PropagatorOptions): Propagator {
	const { meter } = options
	const holdNs = (options.holdMs ?? DEFAULT_HOLD_MS) * 1e6
	const maxHeld = options.maxHeld ?? DEFAULT_MAX_HELD
	const held = new Map<number, Held>()
	const clients = new Map<number, RecentClient>()
	const addresses = createLocalAddresses()
	const solitary = createSolitary()
	const used = createTraceUse()
	const renames = createTraceRenames()
	const counters: PropagateCounters = {
		adopted: 0,
		clientMoved: 0,
		sameTrace: 0,
		headerWon: 0,
		conflicts: 0,
		timeouts: 0,
		solitary: 0,
		evicted: 0,
		parentsCut: 0,
	}
	let clockOffset: ClockOffset = { seconds: 0, nanos: 0 }
	let timeNs = 0
	meter.held(() => held.size)

	/** Both ends of one request. `clientSpan` is set while the client is not exported yet. */
	function join(server: Span, client: RecentClient, clientSpan: Span | undefined): void {
		const hasHeader = (server.exchange.flags & HTTP_FLAG.traceparent) !== 0
		const clientSpanAt = client.idsAt + ID_OFFSET.spanId
		if (sameTrace(server.ids, server.idsAt, client.ids, client.idsAt)) {
			counters.sameTrace++
			reidentify(server, server.ids, server.idsAt, client.ids, clientSpanAt)
		} else if (hasHeader) {
			counters.headerWon++
			return
		} else if (!used.mayBeUsed(server.ids, server.idsAt, server.startNs)) {
			counters.adopted++
			renames.add(server.ids, server.idsAt, client.ids, client.idsAt, server.endNs)
			reidentify(server, client.ids, client.idsAt, client.ids, clientSpanAt)
		} else if (
			clientSpan !== undefined &&
			clientSpan.exchange.evidence === EVIDENCE.none &&
			!hasParent(clientSpan) &&
			!used.mayBeUsed(clientSpan.ids, clientSpan.idsAt, clientSpan.startNs)
		) {
			counters.clientMoved++
			renames.add(client.ids, client.idsAt, server.ids, server.idsAt, clientSpan.endNs)
			reidentify(server, server.ids, server.idsAt, client.ids, clientSpanAt)
			reidentify(clientSpan, server.ids, server.idsAt, undefined, 0)
		} else {
			counters.conflicts++
			return
		}
		server.traceFlags = client.traceFlags
		if (options.debugAttributes === true)
			server.attributes = [...server.attributes, KEY.vorParentEvidence, EVIDENCE_NAMES[EVIDENCE.sameHost]]
	}

	function handleServer(span: Span, out: Span[]): void {
		const { exchange } = span
		const wantsJoin =
			(exchange.flags & (HTTP_FLAG.joinKey | HTTP_FLAG.joined)) === HTTP_FLAG.joinKey &&
			addresses.peerMayBeLocal(exchange)
		if (!wantsJoin) {
			release(span, out)
			return
		}
		const key = joinKey(exchange)
		const client = clients.get(key)
		if (client !== undefined && sameRequest(client.exchange, exchange)) {
			clients.delete(key)
			join(span, client, undefined)
			release(span, out)
			return
		}
		if (solitary.has(exchange)) {
			counters.solitary++
			release(span, out)
			return
		}
		const before = held.get(key)
		if (before !== undefined) {
			held.delete(key)
			counters.evicted++
			release(before.span, out)
		} else if (held.size >= maxHeld) evictOldest(out)
		held.set(key, { span, sinceNs: timeNs })
	}

	/** Several at a time: finding the oldest entry of a map from whose front many were deleted takes long. */
	function evictOldest(out: Span[]): void {
		let left = Math.max(1, maxHeld >> 4)
		for (const [key, { span, sinceNs }] of held) {
			held.delete(key)
			counters.evicted++
			// Both ends of a request come within a drain or two: who was let go after a longer wait has waited in vain.
			if (timeNs - sinceNs >= VAIN_NS) solitary.add(span.exchange)
			release(span, out)
			if (--left === 0) return
		}
	}

	function handleClient(span: Span, out: Span[]): void {
		const { exchange } = span
		if ((exchange.flags & HTTP_FLAG.joinKey) !== 0 && addresses.peerMayBeLocal(exchange)) {
			solitary.remove(exchange)
			// The server of a client that published its ids in the kernel has them already, unless it waits here.
			const published = (exchange.flags & HTTP_FLAG.idsPublished) !== 0
			if (published && held.size === 0) {
				out.push(span)
				return
			}
			const key = joinKey(exchange)
			const waiting = held.get(key)
			const client: RecentClient = {
				exchange,
				ids: span.ids,
				idsAt: span.idsAt,
				traceFlags: span.traceFlags,
				sinceNs: timeNs,
			}
			if (waiting !== undefined && sameRequest(exchange, waiting.span.exchange)) {
				held.delete(key)
				join(waiting.span, client, span)
				release(waiting.span, out)
			} else if (!published) {
				clients.delete(key)
				if (clients.size >= MAX_CLIENTS) clients.delete(clients.keys().next().value!)
				clients.set(key, client)
			}
		}
		out.push(span)
	}

	/** A server's parent is always in another process. */
	function release(span: Span, out: Span[]): void {
		span.remoteParent = hasParent(span)
		out.push(span)
	}

	/** Parents that the kernel set inside this host: their trace must not change any more. */
	function follow(span: Span): void {
		const { evidence } = span.exchange
		const moved = renames.follow(span)
		if (evidence !== EVIDENCE.thread && evidence !== EVIDENCE.nginxRequest && evidence !== EVIDENCE.sameHost)
			return
		if (!moved && renames.mayHaveForgotten(span.startNs) && hasParent(span)) {
			counters.parentsCut++
			reidentify(span, span.ids, span.idsAt, undefined, 0)
		}
		used.note(span.ids, span.idsAt)
	}

	function expire(all: boolean, out: Span[]): void {
		for (const [key, entry] of held) {
			if (!all && timeNs - entry.sinceNs < holdNs) break
			held.delete(key)
			counters.timeouts++
			solitary.add(entry.span.exchange)
			release(entry.span, out)
		}
		for (const [key, client] of clients) {
			if (!all && timeNs - client.sinceNs < holdNs) break
			clients.delete(key)
		}
		solitary.advance(timeNs)
		used.advance(timeNs)
		renames.advance(timeNs)
	}

	return {
		counters,
		get held() {
			return held.size
		},
		process(batch) {
			timeNs = batch.timeNs
			clockOffset = batch.clockOffset
			const { spans } = batch
			const out: Span[] = []
			for (let i = 0; i < spans.length; i++) {
				const span = spans[i]!
				addresses.learn(span.exchange)
				follow(span)
				if (span.kind === SPAN_KIND.server) handleServer(span, out)
				else handleClient(span, out)
			}
			expire(false, out)
			meter.received(spans.length)
			meter.sent(out.length)
			if (out.length <= BATCH_SPANS) return [{ ...batch, spans: out }]
			const batches: SpanBatch[] = [{ ...batch, spans: out.slice(0, BATCH_SPANS) }]
			split(out, BATCH_SPANS, batches)
			return batches
		},
		flush(nowNs, all = false) {
			timeNs = Math.max(timeNs, nowNs)
			const out: Span[] = []
			expire(all, out)
			meter.sent(out.length)
			const batches: SpanBatch[] = []
			split(out, 0, batches)
			return batches
		},
	}

	/** Batches without facts: those travelled with the first. */
	function split(spans: readonly Span[], from: number, into: SpanBatch[]): void {
		for (let at = from; at < spans.length; at += BATCH_SPANS) {
			into.push({
				timeNs,
				clockOffset,
				processes: [],
				fallback: [],
				unreadable: [],
				spans: spans.slice(at, at + BATCH_SPANS),
			})
		}
	}
}
