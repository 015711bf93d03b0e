import { type BpfLink, limitHeapArenas } from 'bpf-native-loader'
import { type Observable, Subject } from 'rxjs'
import type { RawBatch } from '../model/batch.ts'
import { VorError } from '../util/errors.ts'
import { createBootClock } from './clock.ts'
import { Drain } from './drain.ts'
import { loadEarlyOrNow } from './early-load.ts'
import type { KernelObject } from './kernel-object.ts'
import type { CaptureOptions, KernelCounters, ProgramStatistics } from './options.ts'
import { createPace, type Pace } from './pace.ts'
import { checkPidNamespace } from './preflight.ts'
import { createProbeAttacher, type ProbeAttacher } from './probe-attacher.ts'
import { type CaptureStatistics, newStatistics } from './statistics.ts'
import { createSweep, type Sweep } from './sweep.ts'

/** The kernel as a source of batches. One start and one stop each. */
export interface Capture {
	/** Loads, attaches, scans /proc, and begins to drain. Rejects with a VorError that says what is missing. */
	start(): Promise<void>
	/** A batch is valid only during `next`: copy what you keep. Completes after stop(). Subscribe before start(). */
	readonly batches: Observable<RawBatch>
	/** Detaches, drains what is left, completes, frees. Safe twice, and while it starts: resolves when that has ended, too. */
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

export function createCapture(options: CaptureOptions): Capture {
	return new KernelCapture(options)
}

/** Puts the parts together and owns their life cycle; what they do stands in files of their own. */
class KernelCapture implements Capture {
	readonly statistics = newStatistics()
	private readonly subject = new Subject<RawBatch>()
	readonly batches: Observable<RawBatch> = this.subject.asObservable()
	private kernel: KernelObject | undefined
	/** Of the programs that have a place of their own. */
	private readonly hooks: BpfLink[] = []
	private probes: ProbeAttacher | undefined
	private sweep: Sweep | undefined
	private drain: Drain | undefined
	private pace: Pace | undefined
	/** The start, from its first step to its last. */
	private opening: Promise<void> | undefined
	private state: 'new' | 'starting' | 'running' | 'stopped' = 'new'
	private readonly options: CaptureOptions

	constructor(options: CaptureOptions) {
		this.options = options
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
		this.opening = this.open()
		try {
			await this.opening
		} catch (reason) {
			// Who stopped it meanwhile releases.
			if (!this.isStopped()) await this.release()
			throw VorError.from(reason, 'E_BPF_LOAD')
		}
		if (this.isStopped()) return
		this.state = 'running'
		this.pace?.start()
	}

	/** Ends early, with what is there so far, when it is stopped meanwhile. */
	private async open(): Promise<void> {
		const { options, statistics } = this
		const { processes, notice } = options
		const namespace = checkPidNamespace()
		if (namespace.status === 'fail') {
			throw new VorError('E_PID_NAMESPACE', `the pid namespace ${namespace.detail}`, { fix: namespace.fix })
		}
		const clock = createBootClock()
		// Before any thread allocates: what loading takes on a pool thread (the kernel's types) is needed once.
		limitHeapArenas(1)
		processes.prepare()
		const kernel = await loadEarlyOrNow(options)
		this.kernel = kernel
		if (this.isStopped()) return
		const hurry = (): void => this.pace?.hurry()
		const probes = createProbeAttacher(kernel, processes, statistics, hurry, notice)
		this.probes = probes
		const sweep = createSweep(kernel, statistics, notice)
		this.sweep = sweep
		const drain = new Drain(options, { kernel, clock, probes, sweep, statistics, batches: this.subject })
		this.drain = drain
		this.pace = createPace(drain, options.minIntervalMs ?? 10, options.maxIntervalMs ?? 50)
		this.hooks.push(...(await kernel.attach()))
		if (this.isStopped()) return
		// After the process hooks are attached: whoever the scan misses has sent a record.
		await processes.start()
		if (this.isStopped()) return
		// Of what runs already: who is ready sees their parents from the first request on.
		await Promise.all(processes.takeProbeSites().map((site) => probes.attach(site)))
		if (this.isStopped()) return
		const wake = (): void => {
			statistics.wakeups++
			hurry()
		}
		drain.onWakeup(wake)
		processes.onChange(hurry)
	}

	async stop(): Promise<void> {
		if (this.state === 'stopped') return
		const { state, drain } = this
		this.halt()
		if (state === 'running' && drain !== undefined) {
			// What the programs left behind: detached, so the ring gets no more.
			do drain.last()
			while (drain.more)
		}
		// What a start under way attaches yet is detached by the release. If it fails, it says so itself.
		if (state === 'starting') await Promise.allSettled([this.opening])
		await this.release()
	}

	counters(): KernelCounters {
		return this.drain?.counters.totals ?? {}
	}

	programs(): ProgramStatistics[] {
		const { kernel } = this
		if (kernel === undefined || kernel.object.state !== 'loaded') return []
		const { object } = kernel
		return object.programs
			.filter((program) => kernel.isLoaded(program))
			.map(({ name }) => {
				const program = object.program(name)
				const { runCount, runTimeNs, recursionMisses } = program.stats()
				return { program: name, id: program.id, runCount, runTimeNs, recursionMisses }
			})
	}

	private isStopped(): boolean {
		return this.state === 'stopped'
	}

	/** From here on nothing is attached and nothing begins. */
	private halt(): void {
		this.state = 'stopped'
		this.pace?.stop()
		this.sweep?.stop()
		for (const link of this.hooks.splice(0)) link.close()
		this.probes?.close()
	}

	private async release(): Promise<void> {
		this.halt()
		await this.options.processes.stop()
		this.subject.complete()
		this.kernel?.object.close()
	}
}
