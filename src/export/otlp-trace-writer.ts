import type { ClockOffset } from '../model/batch.ts'
import type { Resource } from '../model/resource.ts'
import type { Span } from '../model/span.ts'
import { resourceBytes, writeAttributes } from './otlp-attributes.ts'
import { UnixTime } from './unix-time.ts'
import { varintSize, WireBuffer } from './wire-buffer.ts'

/** What every encoder of spans does; the reference encoder of the tests is one too. */
export interface TraceEncoder {
	/** `ExportTraceServiceRequest`. */
	encode(spans: readonly Span[], clockOffset: ClockOffset): Uint8Array
}

/** One request as the sender takes it. */
export interface EncodedRequest {
	readonly bytes: Uint8Array
	/** Spans or metric points in it. */
	readonly items: number
	/** Gives the memory of `bytes` back. Only for who is sure that nobody reads them any more. */
	readonly release?: () => void
}

export interface TraceWriterOptions {
	readonly scopeName: string
	readonly scopeVersion: string
	/** A request is never longer (bytes, before compression). */
	readonly maxBytes: number
	/** Nor has it more spans. */
	readonly maxItems: number
}

interface Group {
	resource: Uint8Array
	/** Spans, each with its tag and length. */
	readonly spans: WireBuffer
}

/** Memory of groups kept for the next request, all together. */
const KEPT_BYTES = 8 << 20
/** Requests whose memory is used again: so many are under way when the backend keeps up. */
const KEPT_REQUESTS = 3
const MEMORY_STEP = 64 << 10
/** Tags and lengths around one resource's spans, at most. */
const GROUP_OVERHEAD = 24
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

/**
 * Collects spans, already encoded and grouped by resource, into requests. Spans are not kept: a batch can be let go when
 * `add` returns, and batches of different clock offsets may share a request.
 */
export class TraceWriter implements TraceEncoder {
	readonly #options: TraceWriterOptions
	readonly #scope: Uint8Array
	readonly #time = new UnixTime()
	readonly #groups = new Map<Resource, Group>()
	#spare: Group[] = []
	#spareBytes = 0
	readonly #kept: Uint8Array[] = []
	#size = 0
	#items = 0
	/** Spans that `add` did not take, for the caller to count and set back to 0. */
	readonly refused = { tooLarge: 0, invalidId: 0, skipped: 0 }

	constructor(options: TraceWriterOptions) {
		this.#options = options
		const scope = new WireBuffer(256)
		if (options.scopeName !== '') scope.string(0x0a, options.scopeName)
		if (options.scopeVersion !== '') scope.string(0x12, options.scopeVersion)
		const field = new WireBuffer(256)
		field.byte(0x0a)
		field.varint32(scope.length)
		field.raw(scope.copy())
		this.#scope = field.copy()
	}

	/** Spans waiting for `take`. */
	get items(): number {
		return this.#items
	}

	/** Their bytes, never less than `take` will give. */
	get size(): number {
		return this.#size
	}

	/** Hands every full request to `emit`; the rest waits. */
	add(spans: readonly Span[], clockOffset: ClockOffset, emit: (request: EncodedRequest) => void): void {
		this.#time.start(clockOffset)
		let resource: Resource | undefined
		let group: Group | undefined
		for (let i = 0; i < spans.length; i++) {
			const span = spans[i]!
			if (span.skipTraces) {
				this.refused.skipped++
				continue
			}
			// One such span and backends refuse the whole request.
			if (isZero(span.ids, span.idsAt, 16) || isZero(span.ids, span.idsAt + 16, 8)) {
				this.refused.invalidId++
				continue
			}
			if (span.resource !== resource || group === undefined) {
				resource = span.resource
				group = this.#group(resource)
			}
			const start = group.spans.length
			writeSpan(group.spans, span, this.#time)
			const size = group.spans.length - start
			if (this.#size + size > this.#options.maxBytes) {
				const bytes = Uint8Array.prototype.slice.call(group.spans.bytes, start, group.spans.length)
				group.spans.length = start
				if (this.#items > 0) emit(this.take())
				group = this.#group(resource)
				if (this.#size + size > this.#options.maxBytes) {
					this.refused.tooLarge++
					this.#clear()
					group = undefined
					continue
				}
				group.spans.reserve(size)
				group.spans.raw(bytes)
			}
			this.#size += size
			if (++this.#items >= this.#options.maxItems) {
				emit(this.take())
				group = undefined
			}
		}
	}

	/** Everything that waits, as one request of its own memory. */
	take(): EncodedRequest {
		const out = this.#memory(this.#size)
		let at = 0
		for (const group of this.#groups.values()) at = this.#writeGroup(out, at, group)
		const items = this.#items
		this.#clear()
		return {
			bytes: out.subarray(0, at),
			items,
			release: () => {
				if (this.#kept.length < KEPT_REQUESTS) this.#kept.push(out)
			},
		}
	}

	/** A request is megabytes that outlive the young generation: fresh ones would pile up until a full collection. */
	#memory(size: number): Uint8Array {
		const last = this.#kept.pop()
		if (last !== undefined && last.length >= size) return last
		return new Uint8Array(Math.ceil(size / MEMORY_STEP) * MEMORY_STEP)
	}

	encode(spans: readonly Span[], clockOffset: ClockOffset): Uint8Array {
		const parts: Uint8Array[] = []
		this.add(spans, clockOffset, (request) => void parts.push(request.bytes))
		parts.push(this.take().bytes)
		// Requests of repeated fields only: one after the other they are one request.
		return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
	}

	#group(resource: Resource): Group {
		let group = this.#groups.get(resource)
		if (group === undefined) {
			group = this.#spare.pop()
			if (group === undefined) group = { resource: new Uint8Array(0), spans: new WireBuffer(4096) }
			else this.#spareBytes -= group.spans.bytes.length
			group.resource = resourceBytes(resource)
			this.#groups.set(resource, group)
			this.#size += group.resource.length + this.#scope.length + GROUP_OVERHEAD
		}
		return group
	}

	#writeGroup(out: Uint8Array, from: number, group: Group): number {
		const spans = group.spans
		if (spans.length === 0) return from
		const scopeSpans = this.#scope.length + spans.length
		const resourceSpans =
			1 + varintSize(group.resource.length) + group.resource.length + 1 + varintSize(scopeSpans) + scopeSpans
		let at = writeHead(out, from, resourceSpans, 0x0a)
		at = writeHead(out, at, group.resource.length, 0x0a)
		out.set(group.resource, at)
		at = writeHead(out, at + group.resource.length, scopeSpans, 0x12)
		out.set(this.#scope, at)
		at += this.#scope.length
		out.set(spans.bytes.subarray(0, spans.length), at)
		return at + spans.length
	}

	#clear(): void {
		for (const group of this.#groups.values()) {
			group.spans.length = 0
			const capacity = group.spans.bytes.length
			if (this.#spareBytes + capacity > KEPT_BYTES) continue
			this.#spareBytes += capacity
			this.#spare.push(group)
		}
		this.#groups.clear()
		this.#size = 0
		this.#items = 0
	}
}

function writeHead(out: Uint8Array, from: number, size: number, tag: number): number {
	let at = from
	out[at++] = tag
	let rest = size
	while (rest > 0x7f) {
		out[at++] = (rest & 0x7f) | 0x80
		rest >>>= 7
	}
	out[at++] = rest
	return at
}

/** One `ScopeSpans.spans` element. The numbers are tags: field number × 8 + wire type. */
function writeSpan(out: WireBuffer, span: Span, time: UnixTime): void {
	out.reserve(128)
	out.byte(0x12)
	const lengthAt = out.length
	// Two bytes fit spans of 128 to 16 383 bytes, which is nearly all of them.
	out.length += 2
	const ids = span.ids
	const at = span.idsAt
	out.byte(0x0a)
	out.byte(16)
	out.raw(ids, at, at + 16)
	out.byte(0x12)
	out.byte(8)
	out.raw(ids, at + 16, at + 24)
	if (span.traceState !== '') out.string(0x1a, span.traceState)
	const hasParent = !isZero(ids, at + 24, 8)
	if (hasParent) {
		out.reserve(16)
		out.byte(0x22)
		out.byte(8)
		out.raw(ids, at + 24, at + 32)
	}
	if (span.name !== '') out.string(0x2a, span.name)
	out.reserve(64)
	if (span.kind !== 0) {
		out.byte(0x30)
		out.byte(span.kind)
	}
	time.add(span.startNs)
	out.byte(0x39)
	out.uint32(time.low)
	out.uint32(time.high)
	time.add(span.endNs)
	out.byte(0x41)
	out.uint32(time.low)
	out.uint32(time.high)
	writeAttributes(out, 0x4a, span.attributes)
	writeStatus(out, span)
	out.reserve(8)
	out.byte(0x85)
	out.byte(0x01)
	out.uint32((span.traceFlags & 0xff) | HAS_IS_REMOTE | (hasParent && span.remoteParent ? IS_REMOTE : 0))
	out.patchLength(lengthAt, 2)
}

function writeStatus(out: WireBuffer, span: Span): void {
	if (span.statusCode === 0 && span.statusMessage === '') return
	out.reserve(8)
	out.byte(0x7a)
	const at = out.length
	out.byte(0)
	if (span.statusMessage !== '') out.string(0x12, span.statusMessage)
	out.reserve(4)
	if (span.statusCode !== 0) {
		out.byte(0x18)
		out.byte(span.statusCode)
	}
	out.patchLength(at, 1)
}

function isZero(bytes: Uint8Array, at: number, count: number): boolean {
	for (let i = at; i < at + count; i++) if (bytes[i] !== 0) return false
	return true
}
