import { type BpfLink, limitHeapArenas, type RingReader } from 'bpf-native-loader'
import { type Observable, Subject } from 'rxjs'
import type { RawBatch } from '../model/batch.ts'
import type { FallbackCount } from '../model/exchange.ts'
import type { ProbeSite, ProcessEvent } from '../model/process-event.ts'
import { VorError } from '../util/errors.ts'
import { type BootClock, createBootClock } from './clock.ts'
import { type CounterReader, createCounterReader } from './counters.ts'
import { createFallbackReader, type FallbackReader } from './fallback.ts'
import { type KernelObject, loadKernelObject } from './kernel-object.ts'
import { HEADER, httpRecord, processKey, RECORD_KIND, SELECTION } from './layout.ts'
import type { CaptureOptions, KernelCounters, ProgramStatistics } from './options.ts'
import { checkPidNamespace } from './preflight.ts'
import { createProcessRecordReader, type ProcessRecordReader } from './process-records.ts'

/** The kernel as a source of batches. One start and one stop each. */
export interface Capture {
	/** Loads, attaches, scans /proc, and begins to drain. Rejects with a VorError that says what is missing. */
	start(): Promise<void>
	/** A batch is valid only during `next`: copy what you keep. Completes after stop(). Subscribe before start(). */
	readonly batches: Observable<RawBatch>
	/** Detaches, drains what is left, completes, frees. Safe twice. */
	stop(): Promise<void>
	/** Sums since the start, by the names of `enum vor_counter` in lower case. */
	counters(): KernelCounters
	/** Per attached program; times and run counts only while the kernel's statistics are on. */
	programs(): ProgramStatistics[]
	readonly statistics: CaptureStatistics
	/** Attach surface, '' before start. */
	readonly surface: string
	readonly storage: string
	/** Name of the BPF object, '' before start. */
	readonly form: string
	readonly missingHooks: readonly string[]
}

export interface CaptureStatistics {
	drains: number
	bytes: number
	records: number
	wakeups: number
	/** Records that were not as the contract says. */
	malformed: number
	/** Sites of uprobes attached, and refused. */
	probesAttached: number
	probesRefused: number
	/** Runs of the sweep that failed. */
	sweepFailures: number
	/** Entries of the kernel's process table that could not be written. */
	selectionFailures: number
}

const PROCESS_BUFFER = 128 * 1024
/** Larger than any record: a buffer smaller than the record at the head would stand still for ever. */
const MIN_BUFFER = 4096
const SECOND_NS = 1e9
/** An empty batch when nothing came for so long: the stages have no clock but the batches, and what they hold has an end. */
const IDLE_NS = 0.4e9

export function createCapture(options: CaptureOptions): Capture {
	return new KernelCapture(options)
}

class KernelCapture implements Capture {
	readonly statistics: CaptureStatistics = {
		drains: 0,
		bytes: 0,
		records: 0,
		wakeups: 0,
		malformed: 0,
		probesAttached: 0,
		probesRefused: 0,
		sweepFailures: 0,
		selectionFailures: 0,
	}
	private readonly subject = new Subject<RawBatch>()
	readonly batches: Observable<RawBatch> = this.subject.asObservable()
	private kernel: KernelObject | undefined
	private readonly links: BpfLink[] = []
	private ring!: RingReader
	private processRing!: RingReader
	private counterReader!: CounterReader
	private fallback!: FallbackReader
	private clock!: BootClock
	private readonly bytes: Uint8Array
	private readonly view: DataView
	private readonly processBytes = new Uint8Array(PROCESS_BUFFER)
	private readonly processRecords: ProcessRecordReader = createProcessRecordReader(this.processBytes)
	private readonly applyEvent = (event: ProcessEvent): void => this.options.processes.apply(event)
	private readonly minInterval: number
	private readonly maxInterval: number
	private interval: number
	private timer: NodeJS.Timeout | undefined
	private immediate: NodeJS.Immediate | undefined
	private readonly turnCallback = (): void => this.turn()
	private secondDueNs = 0
	private lastBatchNs = 0
	private lastRingFull = 0
	private lostEvents = 0
	private sweeping = false
	private state: 'new' | 'starting' | 'running' | 'stopped' = 'new'
	private readonly options: CaptureOptions

	constructor(options: CaptureOptions) {
		this.options = options
		this.bytes = new Uint8Array(Math.max(options.turnBytes ?? 256 * 1024, MIN_BUFFER))
		this.view = new DataView(this.bytes.buffer)
		this.minInterval = options.minIntervalMs ?? 10
		this.maxInterval = options.maxIntervalMs ?? 50
		this.interval = this.minInterval
	}

	get surface(): string {
		return this.kernel?.surface ?? ''
	}

	get storage(): string {
		return this.kernel?.storage ?? ''
	}

	get form(): string {
		return this.kernel?.form ?? ''
	}

	get missingHooks(): readonly string[] {
		return this.kernel?.missingHooks ?? []
	}

	async start(): Promise<void> {
		if (this.state !== 'new') throw new VorError('E_INTERNAL', 'a capture is started once')
		this.state = 'starting'
		try {
			await this.open()
		} catch (reason) {
			await this.release()
			throw VorError.from(reason, 'E_BPF_LOAD')
		}
		if (this.isStopped()) return
		this.state = 'running'
		this.turn()
	}

	private async open(): Promise<void> {
		const { options } = this
		const namespace = checkPidNamespace()
		if (namespace.status === 'fail') {
			throw new VorError('E_PID_NAMESPACE', `the pid namespace ${namespace.detail}`, { fix: namespace.fix })
		}
		this.clock = createBootClock()
		// Before any thread allocates: what loading takes on a pool thread (the kernel's types) is needed once.
		limitHeapArenas(1)
		options.processes.prepare()
		const kernel = await loadKernelObject(options)
		this.kernel = kernel
		this.ring = kernel.object.map('vor_ring').ring()
		this.processRing = kernel.object.map('vor_process_ring').ring()
		this.counterReader = createCounterReader(kernel.object.map('vor_counters'), options.meter)
		this.fallback = createFallbackReader(kernel.object.map('vor_red'), (pid, startNs) =>
			options.processes.isAlive(pid, startNs),
		)
		this.links.push(...(await kernel.attach()))
		// After the process hooks are attached: whoever the scan misses has sent a record.
		await options.processes.start()
		// Of what runs already: who is ready sees their parents from the first request on.
		await Promise.all(options.processes.takeProbeSites().map((site) => this.attachProbe(kernel, site)))
		const wake = (): void => {
			this.statistics.wakeups++
			this.hurry()
		}
		this.ring.onWakeup(wake)
		this.processRing.onWakeup(wake)
		options.processes.onChange(() => this.hurry())
	}

	async stop(): Promise<void> {
		if (this.state === 'stopped') return
		const wasRunning = this.state === 'running'
		this.state = 'stopped'
		this.cancel()
		for (const link of this.links.splice(0)) link.close()
		if (wasRunning) {
			// What the programs left behind: detached, so the ring gets no more.
			do this.drainOnce()
			while (this.ring.more || this.processRing.more)
		}
		await this.release()
	}

	counters(): KernelCounters {
		return this.counterReader?.totals ?? {}
	}

	programs(): ProgramStatistics[] {
		const object = this.kernel?.object
		if (object === undefined || object.state !== 'loaded') return []
		const { kernel } = this
		return object.programs
			.filter((program) => kernel?.isLoaded(program))
			.map(({ name }) => {
				const program = object.program(name)
				const { runCount, runTimeNs, recursionMisses } = program.stats()
				return { program: name, id: program.id, runCount, runTimeNs, recursionMisses }
			})
	}

	private isStopped(): boolean {
		return this.state === 'stopped'
	}

	private cancel(): void {
		clearTimeout(this.timer)
		clearImmediate(this.immediate)
		this.timer = undefined
		this.immediate = undefined
	}

	private async release(): Promise<void> {
		this.state = 'stopped'
		this.cancel()
		for (const link of this.links.splice(0)) link.close()
		await this.options.processes.stop()
		this.subject.complete()
		this.kernel?.object.close()
	}

	/** The next turn comes with the next round of the event loop. */
	private hurry(): void {
		if (this.state !== 'running' || this.immediate !== undefined) return
		clearTimeout(this.timer)
		this.timer = undefined
		this.immediate = setImmediate(this.turnCallback)
	}

	private turn(): void {
		this.timer = undefined
		this.immediate = undefined
		if (this.state !== 'running') return
		const length = this.drainOnce()
		if (this.isStopped()) return
		if (this.ring.more || this.processRing.more) {
			this.immediate ??= setImmediate(this.turnCallback)
			return
		}
		// A ring that fills by more than 1/32 in one interval is emptied as often as allowed; an idle one ever more rarely.
		if (length > this.ring.size / 32) this.interval = this.minInterval
		else if (length === 0) this.interval = Math.min(this.interval * 1.5, this.maxInterval)
		if (this.immediate === undefined) this.timer = setTimeout(this.turnCallback, this.interval)
	}

	/** One batch: at most one buffer of records, and everything else that is due. Returns the bytes drained. */
	private drainOnce(): number {
		const { processes } = this.options
		const { statistics } = this
		const length = this.ring.drain(this.bytes)
		const records = this.ring.lastRecords
		// After the records: whoever sent them has announced itself by now, so its fact goes in front of them.
		this.drainProcesses()
		const exchanges = this.meet(length)
		const timeNs = this.clock.now()
		const facts = processes.takeFacts(timeNs)
		// What was rejected may have become another program meanwhile: the kernel forgets a rejection after the exec's record
		// is in the ring, so either it forgets this one too, or its record is there now.
		while (this.tellKernel() && this.drainProcesses() > 0);
		this.counterReader.read(exchanges)
		const { process_dropped: lost = 0 } = this.counterReader.totals
		if (lost !== this.lostEvents) {
			this.lostEvents = lost
			processes.rescan()
		}
		let fallback: readonly FallbackCount[] = NO_FALLBACK
		const due = timeNs >= this.secondDueNs
		if (due || this.counterReader.ringFull !== this.lastRingFull || this.state === 'stopped') {
			this.lastRingFull = this.counterReader.ringFull
			if (this.lastRingFull > 0) fallback = this.fallback.read()
		}
		if (due) {
			this.secondDueNs = timeNs + SECOND_NS
			this.clock.refresh(timeNs)
			this.sweep()
		}
		statistics.drains++
		statistics.bytes += length
		statistics.records += records
		const idle = timeNs - this.lastBatchNs >= IDLE_NS
		if (idle || length > 0 || facts.length > 0 || fallback.length > 0) {
			this.lastBatchNs = timeNs
			this.subject.next({
				bytes: this.bytes,
				length,
				records,
				timeNs,
				clockOffset: this.clock.offset(),
				processes: facts,
				fallback,
			})
		}
		return length
	}

	/** Returns the bytes drained. */
	private drainProcesses(): number {
		const { processRing } = this
		let bytes = 0
		do {
			const got = processRing.drain(this.processBytes)
			bytes += got
			this.statistics.malformed += this.processRecords.read(got, this.applyEvent)
		} while (processRing.more)
		return bytes
	}

	/** Makes sure that every process with a record is known. Returns how many of the records are exchanges. */
	private meet(length: number): number {
		const { view } = this
		let exchanges = 0
		let lastPid = -1
		let lastStartLow = -1
		let lastStartHigh = -1
		let at = 0
		while (at + HEADER.bytes <= length) {
			const size = view.getUint16(at + HEADER.sizeAt, true)
			if (size < HEADER.bytes || at + size > length) {
				this.statistics.malformed++
				break
			}
			if (view.getUint16(at + HEADER.kindAt, true) === RECORD_KIND.HTTP1) exchanges++
			// The process key stands at one place in every kind of record.
			const key = at + httpRecord.process
			const pid = view.getUint32(key + processKey.tgid, true)
			const low = view.getUint32(key + processKey.start_ns, true)
			const high = view.getUint32(key + processKey.start_ns + 4, true)
			if (pid !== lastPid || low !== lastStartLow || high !== lastStartHigh) {
				lastPid = pid
				lastStartLow = low
				lastStartHigh = high
				this.options.processes.see(pid, low + high * 4294967296)
			}
			at += size
		}
		return exchanges
	}

	/** Returns whether processes were rejected. */
	private tellKernel(): boolean {
		const { kernel } = this
		if (kernel === undefined || kernel.object.state !== 'loaded') return false
		let rejected = false
		const selections = this.options.processes.takeSelections()
		if (selections.length > 0) {
			const map = kernel.object.map('vor_processes')
			for (const { pid, selection, nginx } of selections) {
				const key = new Uint8Array(new Uint32Array([pid]).buffer)
				const state = selection === 'rejected' ? SELECTION.REJECTED : SELECTION.SELECTED
				rejected ||= selection === 'rejected'
				try {
					if (selection === 'forget' && !nginx) map.delete(key)
					else map.set(key, new Uint8Array(new Uint32Array([state | (nginx ? NGINX : 0)]).buffer))
				} catch {
					// The table is full: the process stays unknown, is captured, and filtered in user space.
					this.statistics.selectionFailures++
				}
			}
			kernel.bumpSelection()
		}
		if (this.state === 'running') {
			for (const site of this.options.processes.takeProbeSites()) void this.attachProbe(kernel, site)
		}
		return rejected
	}

	private async attachProbe(kernel: KernelObject, site: ProbeSite): Promise<void> {
		try {
			const link = await kernel.object
				.program(site.program)
				.attachUprobe({ path: site.path, offset: site.offset })
			if (this.isStopped()) {
				link.close()
				return
			}
			this.links.push(link)
			this.statistics.probesAttached++
			this.options.processes.probeAttached(site, true)
			this.hurry()
		} catch (reason) {
			this.statistics.probesRefused++
			this.options.processes.probeAttached(site, false)
			const message = reason instanceof Error ? reason.message : String(reason)
			this.options.notice?.('warn', `probe ${site.program} in ${site.path}: ${message}`)
		}
	}

	/** Looks for connections that ended unseen; the iterator runs off the main thread. */
	private sweep(): void {
		const { kernel } = this
		if (kernel === undefined || this.sweeping || this.state !== 'running') return
		if (!kernel.object.programs.some((program) => program.name === SWEEP)) return
		this.sweeping = true
		kernel.object
			.program(SWEEP)
			.runIterator({ map: kernel.object.map(SWEPT) })
			.then(
				() => {
					this.sweeping = false
				},
				(reason: unknown) => {
					this.sweeping = false
					if (this.statistics.sweepFailures++ === 0 && !this.isStopped()) {
						this.options.notice?.('warn', `the sweep of connections failed: ${String(reason)}`)
					}
				},
			)
	}
}

/** Or-ed into the kernel's selection of a process whose executable carries the nginx probe. */
const NGINX = 0x100
const SWEEP = 'vor_sweep'
/** Connections whose state is not on the socket: all of the hash form, unix sockets of the other. */
const SWEPT = 'vor_conn_hash'
const NO_FALLBACK: readonly FallbackCount[] = []
