import type { RingReader } from 'bpf-native-loader'
import type { Observer } from 'rxjs'
import type { RawBatch } from '../model/batch.ts'
import type { FallbackCount } from '../model/exchange.ts'
import type { BootClock } from './clock.ts'
import { type CounterReader, createCounterReader } from './counters.ts'
import { createFallbackReader, type FallbackReader } from './fallback.ts'
import type { KernelObject } from './kernel-object.ts'
import type { CaptureOptions } from './options.ts'
import type { Drained } from './pace.ts'
import type { ProbeAttacher } from './probe-attacher.ts'
import { createProcessRing, type ProcessRing } from './process-ring.ts'
import { meetProcesses } from './record-processes.ts'
import { createSelectionWriter, type SelectionWriter } from './selection-writer.ts'
import type { CaptureStatistics } from './statistics.ts'
import type { Sweep } from './sweep.ts'

/** Larger than any record: a buffer smaller than the record at the head would stand still for ever. */
const MIN_BUFFER = 4096
const SECOND_NS = 1e9
/** An empty batch when nothing came for so long: the stages have no clock but the batches, and what they hold has an end. */
const IDLE_NS = 0.4e9

export interface DrainParts {
	readonly kernel: KernelObject
	readonly clock: BootClock
	readonly probes: ProbeAttacher
	readonly sweep: Sweep
	readonly statistics: CaptureStatistics
	readonly batches: Pick<Observer<RawBatch>, 'next'>
}

/** Makes batches of what the kernel left in the rings, and tells it in turn what was decided. Owns the buffer of a batch. */
export class Drain implements Drained {
	readonly counters: CounterReader
	private readonly ring: RingReader
	private readonly processRing: ProcessRing
	private readonly fallback: FallbackReader
	private readonly selections: SelectionWriter
	private readonly bytes: Uint8Array
	private readonly view: DataView
	private secondDueNs = 0
	private lastBatchNs = 0
	private lastRingFull = 0
	private lostEvents = 0
	private readonly options: CaptureOptions
	private readonly parts: DrainParts

	constructor(options: CaptureOptions, parts: DrainParts) {
		const { kernel, statistics } = parts
		const { object } = kernel
		const { processes } = options
		this.options = options
		this.parts = parts
		this.bytes = new Uint8Array(Math.max(options.turnBytes ?? 256 * 1024, MIN_BUFFER))
		this.view = new DataView(this.bytes.buffer)
		this.ring = object.map('vor_ring').ring()
		this.processRing = createProcessRing(object.map('vor_process_ring').ring(), processes, statistics)
		this.counters = createCounterReader(object.map('vor_counters'), options.meter)
		this.fallback = createFallbackReader(object.map('vor_red'), (pid, startNs) =>
			processes.isAlive(pid, startNs),
		)
		this.selections = createSelectionWriter(kernel, statistics)
	}

	/** The last drain of one of the rings left something behind. */
	get more(): boolean {
		return this.ring.more || this.processRing.more
	}

	get ringBytes(): number {
		return this.ring.size
	}

	/** The kernel forces it when a ring is getting full. */
	onWakeup(callback: () => void): void {
		this.ring.onWakeup(callback)
		this.processRing.onWakeup(callback)
	}

	once(): number {
		return this.makeBatch(false)
	}

	/** After the programs were detached: nothing is attached any more, and nothing is left for a later batch. */
	last(): void {
		this.makeBatch(true)
	}

	/** At most one buffer of records, and everything else that is due. Returns the bytes drained. */
	private makeBatch(isLast: boolean): number {
		const { processes } = this.options
		const { statistics, clock } = this.parts
		const length = this.ring.drain(this.bytes)
		const records = this.ring.lastRecords
		// After the records: whoever sent them has announced itself by now, so its fact goes in front of them.
		this.processRing.drain()
		const exchanges = meetProcesses(this.view, length, processes, statistics)
		const timeNs = clock.now()
		const facts = processes.takeFacts(timeNs)
		// What was rejected may have become another program meanwhile: the kernel forgets a rejection after the exec's record
		// is in the ring, so either it forgets this one too, or its record is there now.
		while (this.tellKernel(isLast) && this.processRing.drain() > 0);
		this.counters.read(exchanges)
		const { process_dropped: lost = 0 } = this.counters.totals
		if (lost !== this.lostEvents) {
			this.lostEvents = lost
			processes.rescan()
		}
		const due = timeNs >= this.secondDueNs
		const fallback = this.takeFallback(due || isLast)
		if (due) {
			this.secondDueNs = timeNs + SECOND_NS
			clock.refresh(timeNs)
			this.parts.sweep.run()
		}
		statistics.drains++
		statistics.bytes += length
		statistics.records += records
		const idle = timeNs - this.lastBatchNs >= IDLE_NS
		if (idle || length > 0 || facts.length > 0 || fallback.length > 0) {
			this.lastBatchNs = timeNs
			this.parts.batches.next({
				bytes: this.bytes,
				length,
				records,
				timeNs,
				clockOffset: clock.offset(),
				processes: facts,
				fallback,
			})
		}
		return length
	}

	/** Returns whether processes were rejected. */
	private tellKernel(isLast: boolean): boolean {
		const { kernel, probes } = this.parts
		const { processes } = this.options
		if (kernel.object.state !== 'loaded') return false
		const rejected = this.selections.write(processes.takeSelections())
		if (!isLast) for (const site of processes.takeProbeSites()) void probes.attach(site)
		return rejected
	}

	/** At once after a loss; else when it is due, where the reader also forgets who is gone. */
	private takeFallback(due: boolean): readonly FallbackCount[] {
		const { ringFull } = this.counters
		if (!due && ringFull === this.lastRingFull) return NO_FALLBACK
		this.lastRingFull = ringFull
		return ringFull > 0 ? this.fallback.read() : NO_FALLBACK
	}
}

const NO_FALLBACK: readonly FallbackCount[] = []
