import { randomFillSync } from 'node:crypto'
import { type AttributeList, type AttributeValue, attributeKey } from '../model/attributes.ts'
import type { ClockOffset, SpanBatch } from '../model/batch.ts'
import type { Exchange } from '../model/exchange.ts'
import { FinishedSpan } from '../model/finished-span.ts'
import type { Resource } from '../model/resource.ts'
import { SPAN_KIND, STATUS_CODE } from '../model/span.ts'
import type { Accounting, StageMeter } from './accounting.ts'

/** Something Vör itself does, while it does it. Exists only in traces that are recorded. */
export interface ActiveSpan {
	child(name: string): ActiveSpan
	set(name: string, value: AttributeValue): void
	/** W3C header for a request that is part of it; undefined unless such headers were asked for. */
	readonly traceparent: string | undefined
	/** Once; `problem` is why it failed. */
	end(problem?: string): void
}

export interface Tracer {
	/** The first span of a trace; undefined when that trace is not recorded, which costs nothing more. */
	root(name: string): ActiveSpan | undefined
	/** A configuration is being loaded that may bring the first `tracing` block: record until that is known. */
	expect(): void
	/** The load is over. */
	forget(): void
}

export const noTracer: Tracer = { root: () => undefined, expect() {}, forget() {} }

export interface TracingSettings {
	/** Share of the traces that is kept: 0 none, 1 all. */
	readonly fraction: number
	readonly sendTraceparent: boolean
	/** Where batches go; undefined: nowhere, nothing is recorded. */
	readonly emit: ((batch: SpanBatch) => void) | undefined
}

export interface OwnTracerOptions {
	readonly resource: () => Resource
	/** Boot clock, as every batch has it. Made when first something is recorded. */
	readonly clock: () => OwnClock
	readonly accounting: Accounting
}

export interface OwnClock {
	/** Nanoseconds. */
	now(): number
	offset(): ClockOffset
	refresh(nowNs: number): void
}

/** As the Go SDK's batches, which Alloy uses. */
const maxQueued = 2048
const maxBatch = 512
const delayMs = 1000

/** Vör's traces of itself, as the `tracing` block says. */
export class OwnTracer implements Tracer {
	readonly #options: OwnTracerOptions
	#settings: TracingSettings = { fraction: 0, sendTraceparent: false, emit: undefined }
	/** The configuration that is being loaded has a `tracing` block and none was in force: what it says comes later. */
	#undecided = false
	#queue: FinishedSpan[] = []
	#timer: NodeJS.Timeout | undefined
	#resource: Resource | undefined
	#clock: OwnClock | undefined
	#meter: StageMeter | undefined

	constructor(options: OwnTracerOptions) {
		this.#options = options
	}

	get #on(): boolean {
		return this.#settings.emit !== undefined && this.#settings.fraction > 0
	}

	expect(): void {
		if (!this.#on) this.#undecided = true
	}

	forget(): void {
		if (!this.#undecided) return
		this.#undecided = false
		this.#queue = []
	}

	configure(settings: TracingSettings): void {
		// What was recorded for the consumers until now goes to them.
		if (!this.#undecided) this.flush()
		this.#settings = settings
		if (!this.#undecided) return
		this.#undecided = false
		const waiting = this.#queue
		this.#queue = []
		for (const span of waiting) this.#keep(span)
	}

	root(name: string): ActiveSpan | undefined {
		if (!this.#undecided && !this.#on) return undefined
		const ids = new Uint8Array(32)
		randomFillSync(ids, 0, 24)
		if (!this.#undecided && !this.#isSampled(ids)) return undefined
		return this.#start(name, ids)
	}

	/** Whether a batch is of these traces. */
	owns(batch: SpanBatch): boolean {
		return this.#resource !== undefined && batch.spans[0]?.resource === this.#resource
	}

	/** Hands over what waits. */
	flush(): void {
		clearTimeout(this.#timer)
		this.#timer = undefined
		const { emit } = this.#settings
		if (this.#undecided || emit === undefined || this.#queue.length === 0) return
		const spans = this.#queue
		this.#queue = []
		const clock = this.#clock!
		const timeNs = clock.now()
		clock.refresh(timeNs)
		for (let at = 0; at < spans.length; at += maxBatch) {
			const part = spans.slice(at, at + maxBatch)
			this.#meter?.sent(part.length)
			emit({
				timeNs,
				clockOffset: clock.offset(),
				processes: [],
				fallback: [],
				unreadable: [],
				spans: part,
			})
		}
	}

	/** By the trace id, as Go's ratio sampler: whoever else looks at the id decides the same. */
	#isSampled(ids: Uint8Array): boolean {
		const view = new DataView(ids.buffer, ids.byteOffset + 8, 8)
		return (view.getUint32(0) * 2 ** 32 + view.getUint32(4)) / 2 ** 64 < this.#settings.fraction
	}

	#start(name: string, ids: Uint8Array): ActiveSpan {
		this.#clock ??= this.#options.clock()
		const clock = this.#clock
		const startNs = clock.now()
		const attributes: AttributeList = []
		let ended = false
		return {
			child: (childName) => {
				const childIds = new Uint8Array(32)
				childIds.set(ids.subarray(0, 16))
				randomFillSync(childIds, 16, 8)
				childIds.set(ids.subarray(16, 24), 24)
				return this.#start(childName, childIds)
			},
			set: (key, value) => void attributes.push(attributeKey(key), value),
			traceparent: this.#settings.sendTraceparent
				? `00-${hex(ids.subarray(0, 16))}-${hex(ids.subarray(16, 24))}-01`
				: undefined,
			end: (problem) => {
				if (ended) return
				ended = true
				this.#keep(this.#finish(name, ids, startNs, clock.now(), attributes, problem))
			},
		}
	}

	#finish(
		name: string,
		ids: Uint8Array,
		startNs: number,
		endNs: number,
		attributes: AttributeList,
		problem: string | undefined,
	): FinishedSpan {
		this.#resource ??= this.#options.resource()
		const code = problem === undefined ? STATUS_CODE.ok : STATUS_CODE.error
		const exchange = { ...noExchange, ids, startNs, endNs }
		const span = new FinishedSpan(
			exchange,
			this.#resource,
			name,
			SPAN_KIND.internal,
			code,
			attributes,
			'',
			'',
			1,
		)
		span.statusMessage = problem ?? ''
		// They are no requests: metrics of requests are not made of them.
		span.skipMetrics = true
		return span
	}

	#keep(span: FinishedSpan): void {
		if (!this.#undecided) {
			if (!this.#on || !this.#isSampled(span.ids)) return
			if (this.#meter === undefined) {
				this.#meter = this.#options.accounting.meter('/', 'tracing')
				this.#meter.held(() => this.#queue.length)
			}
			this.#meter.received(1)
		}
		if (this.#queue.length >= maxQueued) {
			if (!this.#undecided) this.#meter?.dropped(1, 'queue_full')
			return
		}
		this.#queue.push(span)
		if (!this.#undecided) this.#timer ??= setTimeout(() => this.flush(), delayMs).unref()
	}
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Spans are made of exchanges; nothing was exchanged here, and only ids and times are read of it. */
const noExchange: Exchange = {
	protocol: 'http1',
	role: 'client',
	pid: 0,
	processStartNs: 0,
	tid: 0,
	netns: 0,
	startNs: 0,
	arrivalNs: 0,
	requestEndNs: 0,
	responseNs: 0,
	endNs: 0,
	requestBodySize: 0,
	responseBodySize: 0,
	family: 'unix',
	localAddress: '',
	localPort: 0,
	remoteAddress: '',
	remotePort: 0,
	ids: new Uint8Array(0),
	idsAt: 0,
	socketInode: 0,
	peerSocketInode: 0,
	joinSequence: 0,
	peerPid: 0,
	peerStartNs: 0,
	flags: 0,
	status: 0,
	method: '',
	methodName: '',
	evidence: 0,
	absent: 0,
	target: '',
	host: '',
}
