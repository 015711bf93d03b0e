import type { StageMeter } from '../telemetry/accounting.ts'
import type { GrpcClient } from './grpc-client.ts'
import { type GrpcFailure, grpcFailure } from './grpc-failure.ts'
import type { OtlpExporterOptions } from './otlp-options.ts'
import type { EncodedRequest } from './otlp-trace-writer.ts'
import type { OutageLog } from './outage-log.ts'

export type Signal = 'spans' | 'metric_points'

/** Running totals under the Collector's names, and the state of the queue. */
export interface SenderTotals {
	readonly sent: number
	readonly sendFailed: number
	readonly enqueueFailed: number
	/** In the sizer's unit. */
	readonly queueSize: number
	readonly queueCapacity: number
}

export interface SignalSenderDeps {
	readonly client: GrpcClient
	readonly meter: StageMeter
	readonly outage: OutageLog
	/** How much of an accepted request the backend refused, from the bytes of its answer. */
	readonly readReply: (reply: Uint8Array) => { readonly rejected: number; readonly message: string }
	readonly random: () => number
}

interface Waiter {
	readonly timer: NodeJS.Timeout
	readonly wake: () => void
	/** It waits for a connection, not because the backend asked for time. */
	readonly forConnection: boolean
}

/**
 * Queue ← retry ← timeout ← push, for one signal. An item is held from `enqueue` until it was sent or dropped with a
 * reason; a full queue refuses the newest, as the Collector's does.
 */
export class SignalSender {
	readonly #method: string
	readonly #options: OtlpExporterOptions
	readonly #deps: SignalSenderDeps
	readonly #queue: EncodedRequest[] = []
	/** Requests before this index are gone; keeps `shift` from moving a long queue. */
	#head = 0
	#load = 0
	#bytes = 0
	readonly #active = new Set<EncodedRequest>()
	readonly #waiters = new Set<Waiter>()
	#watching = false
	#stopping = false
	#closed = false
	#idle: (() => void)[] = []
	#items = 0
	#sent = 0
	#sendFailed = 0
	#enqueueFailed = 0

	constructor(method: string, options: OtlpExporterOptions, deps: SignalSenderDeps) {
		this.#method = method
		this.#options = options
		this.#deps = deps
	}

	/** Items in the queue and under way. */
	get held(): number {
		return this.#items
	}

	totals(): SenderTotals {
		const { enabled, queueSize } = this.#options.sendingQueue
		return {
			sent: this.#sent,
			sendFailed: this.#sendFailed,
			enqueueFailed: this.#enqueueFailed,
			queueSize: this.#load,
			queueCapacity: enabled ? queueSize : 0,
		}
	}

	enqueue(request: EncodedRequest): void {
		if (request.items === 0) return
		const { enabled, queueSize, numConsumers } = this.#options.sendingQueue
		const size = this.#sizeOf(request)
		const free = this.#active.size < numConsumers && this.#head === this.#queue.length
		const room = enabled ? this.#load + size <= queueSize : false
		if (this.#closed || !(free || room) || this.#bytes + request.bytes.length > this.#options.maxQueueBytes) {
			this.refuse(request.items, this.#closed ? 'shutdown' : 'queue_full')
			return
		}
		this.#items += request.items
		this.#bytes += request.bytes.length
		this.#load += size
		this.#queue.push(request)
		this.#dispatch()
	}

	/** Items that never get into the queue. */
	refuse(items: number, reason: string): void {
		if (items === 0) return
		this.#enqueueFailed += items
		this.#deps.meter.dropped(items, reason)
		this.#deps.outage.dropped(items, reason)
	}

	/** Resolves when nothing is held any more. */
	idle(): Promise<void> {
		return this.#items === 0 ? Promise.resolve() : new Promise((resolve) => void this.#idle.push(resolve))
	}

	/** From now on every request gets one attempt: those that wait for a retry at once, the queue after them. */
	startStopping(): void {
		this.#stopping = true
		this.#wake(() => true)
	}

	/** Drops what is left; gives its items. Answers that come later count no more. */
	close(): number {
		const left = this.#items
		this.#closed = true
		this.#sendFailed += left
		if (left > 0) this.#deps.meter.dropped(left, 'shutdown')
		this.#queue.length = 0
		this.#head = 0
		this.#active.clear()
		this.#items = 0
		this.#bytes = 0
		this.#load = 0
		this.#wake(() => true)
		this.#tellIdle()
		return left
	}

	#dispatch(): void {
		while (this.#active.size < this.#options.sendingQueue.numConsumers && this.#head < this.#queue.length) {
			const request = this.#queue[this.#head]!
			this.#queue[this.#head++] = undefined as never
			if (this.#head > 64 && this.#head * 2 > this.#queue.length) {
				this.#queue.splice(0, this.#head)
				this.#head = 0
			}
			this.#load -= this.#sizeOf(request)
			this.#active.add(request)
			void this.#run(request)
		}
	}

	async #run(request: EncodedRequest): Promise<void> {
		const { client, outage, readReply } = this.#deps
		const retry = this.#options.retryOnFailure
		const giveUpAt =
			retry.maxElapsedMs > 0 ? performance.now() + retry.maxElapsedMs : Number.POSITIVE_INFINITY
		let interval = retry.initialIntervalMs
		for (;;) {
			let failure: GrpcFailure
			try {
				const reply = await client.send(this.#method, request.bytes, this.#options.timeoutMs)
				if (this.#closed) return
				outage.succeeded()
				const { rejected, message } = readReply(reply)
				if (rejected > 0 || message !== '') outage.warned(message, rejected)
				this.#finish(request, Math.min(request.items, rejected), 'rejected')
				// Answered, so read to its end. After a failure a compressor may still be reading it.
				request.release?.()
				return
			} catch (error) {
				if (this.#closed) return
				failure = grpcFailure(error, this.#options.client.endpoint, client.tls)
				outage.failed(failure)
			}
			if (!failure.retryable) return this.#finish(request, request.items, 'refused')
			if (!retry.enabled) return this.#finish(request, request.items, 'failed')
			if (this.#stopping) return this.#finish(request, request.items, 'shutdown')
			const jitter = 1 + retry.randomizationFactor * (2 * this.#deps.random() - 1)
			const delay = Math.max(interval * jitter, failure.retryDelayMs ?? 0)
			interval = Math.min(interval * retry.multiplier, retry.maxIntervalMs)
			if (performance.now() + delay > giveUpAt) return this.#finish(request, request.items, 'retry_exhausted')
			await this.#wait(delay, failure.retryDelayMs === undefined && !client.connected())
			if (this.#closed) return
		}
	}

	/** `failed` of its items were not taken, for `reason`. */
	#finish(request: EncodedRequest, failed: number, reason: string): void {
		const sent = request.items - failed
		this.#sent += sent
		this.#sendFailed += failed
		this.#deps.meter.sent(sent)
		this.#deps.meter.dropped(failed, reason)
		if (failed > 0) this.#deps.outage.dropped(failed, reason)
		this.#active.delete(request)
		this.#items -= request.items
		this.#bytes -= request.bytes.length
		this.#dispatch()
		if (this.#items === 0) this.#tellIdle()
	}

	#wait(delayMs: number, forConnection: boolean): Promise<void> {
		return new Promise((resolve) => {
			const wake = () => {
				clearTimeout(waiter.timer)
				this.#waiters.delete(waiter)
				resolve()
			}
			const waiter: Waiter = { timer: setTimeout(() => wake(), delayMs), wake, forConnection }
			this.#waiters.add(waiter)
			if (forConnection && !this.#watching) {
				// A backend that is back is used at once; one that is up but overloaded gets its back-off.
				this.#watching = true
				this.#deps.client.onceReady(() => {
					this.#watching = false
					this.#wake((one) => one.forConnection)
				})
			}
		})
	}

	#wake(which: (waiter: Waiter) => boolean): void {
		for (const waiter of [...this.#waiters]) if (which(waiter)) waiter.wake()
	}

	#tellIdle(): void {
		const waiting = this.#idle
		this.#idle = []
		for (const resolve of waiting) resolve()
	}

	#sizeOf(request: EncodedRequest): number {
		const sizer = this.#options.sendingQueue.sizer
		return sizer === 'requests' ? 1 : sizer === 'items' ? request.items : request.bytes.length
	}
}
