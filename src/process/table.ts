import type {
	ExecEvent,
	ForkEvent,
	KernelSelection,
	ListenEvent,
	ProbeSite,
	ProcessEvent,
	ProcessTracker,
} from '../model/process-event.ts'
import type { ProcessFact } from '../model/process-fact.ts'
import { type Entry, inherit, newEntry, takeImage } from './entry.ts'
import { KernelSelections } from './kernel-selections.ts'
import { type KnownCounters, KnownProcesses } from './known.ts'
import { ProbeSites } from './probe-sites.ts'
import { type ScanCounters, Scans } from './scans.ts'
import { compileSelection, type SelectionRules } from './selection.ts'
import type { ScanWorker } from './worker-client.ts'

export interface ProcessTable extends ProcessTracker {
	/** Everything alive and everything that exited in the last 30 s. */
	facts(): ProcessFact[]
	find(pid: number, startNs: number): ProcessFact | undefined
	/** New rules are asked for every process at once; what changes is told at the next drain. */
	setRules(rules: SelectionRules): void
	/** The process was seen exporting OTLP itself (a client exchange to /v1/traces …): that signal is its own from now on. */
	noteOtlpExport(pid: number, startNs: number, signal: 'traces' | 'metrics'): void
	/** Every fact travels again with the next batch: a stage was built that knows none. */
	announceAll(): void
	readonly counters: ProcessTableCounters
}

export interface ProcessTableCounters extends ScanCounters, KnownCounters {
	events: number
	/** Records of processes that no event and no scan had told of. */
	unannounced: number
}

export interface ProcessTableOptions {
	readonly rules?: SelectionRules
	readonly selfPid?: number
	/** Tests hand in their own; default: a worker thread over /proc. */
	readonly worker?: ScanWorker
}

export function createProcessTable(options: ProcessTableOptions = {}): ProcessTable {
	return new Table(options)
}

/** What is learnt of processes, from their events, from /proc and from records, and what follows from it for others. */
class Table implements ProcessTable {
	readonly counters: ProcessTableCounters = {
		events: 0,
		scans: 0,
		scanFailures: 0,
		unannounced: 0,
		forgottenEarly: 0,
	}
	private readonly probes = new ProbeSites()
	private readonly selections = new KernelSelections(this.probes)
	private readonly known: KnownProcesses
	private readonly scans: Scans
	private changeCallback: () => void = () => {}

	constructor(options: ProcessTableOptions) {
		const rules = options.rules ?? compileSelection({}).rules
		const ended = (entry: Entry): void => this.scans.ended(entry)
		this.known = new KnownProcesses(
			rules,
			options.selfPid ?? process.pid,
			this.selections,
			this.counters,
			ended,
		)
		this.scans = new Scans(this.known, this.counters, options.worker, () => this.changeCallback())
	}

	prepare(): void {
		this.scans.prepare()
	}

	start(): Promise<void> {
		return this.scans.start()
	}

	rescan(): void {
		this.scans.rescan()
	}

	stop(): Promise<void> {
		return this.scans.stop()
	}

	onChange(callback: () => void): void {
		this.changeCallback = callback
	}

	apply(event: ProcessEvent): void {
		const { known, counters } = this
		counters.events++
		if (event.timeNs > known.nowNs) known.nowNs = event.timeNs
		switch (event.kind) {
			case 'exec':
				this.exec(event)
				return
			case 'fork':
				this.fork(event)
				return
			case 'exit': {
				const entry = known.exact(event.pid, event.startNs)
				if (entry !== undefined) known.retire(entry, event.timeNs)
				return
			}
			case 'listen':
				this.listen(event)
				return
		}
	}

	see(pid: number, startNs: number): void {
		const entry = this.known.current.get(pid)
		if (entry !== undefined && entry.startNs === startNs && entry.exactStart) return
		if (this.known.exact(pid, startNs) !== undefined) return
		if (this.known.findExited(pid, startNs) !== undefined) return
		this.unannounced(pid, startNs)
	}

	takeFacts(nowNs: number): readonly ProcessFact[] {
		this.known.age(nowNs)
		this.scans.request()
		return this.known.takeChanged()
	}

	announceAll(): void {
		this.known.announceAll()
	}

	isAlive(pid: number, startNs: number): boolean {
		return this.known.exact(pid, startNs) !== undefined
	}

	takeSelections(): readonly KernelSelection[] {
		return this.selections.take()
	}

	takeProbeSites(): readonly ProbeSite[] {
		return this.probes.take()
	}

	probeAttached(site: ProbeSite, attached: boolean): void {
		if (!this.probes.note(site, attached)) return
		const { current, nowNs } = this.known
		for (const entry of current.values()) {
			if (entry.executableKey === site.executableKey) this.selections.tell(entry, nowNs)
		}
	}

	facts(): ProcessFact[] {
		return this.known.facts()
	}

	find(pid: number, startNs: number): ProcessFact | undefined {
		return (this.known.exact(pid, startNs) ?? this.known.findExited(pid, startNs))?.fact
	}

	setRules(rules: SelectionRules): void {
		this.known.setRules(rules)
		this.changeCallback()
	}

	noteOtlpExport(pid: number, startNs: number, signal: 'traces' | 'metrics'): void {
		const entry = this.known.exact(pid, startNs)
		if (entry === undefined) return
		if (signal === 'traces') entry.seenTraces = true
		else entry.seenMetrics = true
		this.known.update(entry)
	}

	private exec(event: ExecEvent): void {
		const { known } = this
		let entry = known.exact(event.pid, event.startNs)
		if (entry === undefined) {
			entry = newEntry(event.pid, event.startNs, event.parentPid, event.comm)
			known.adopt(entry)
		}
		known.supersede(entry)
		takeImage(entry, event, ++known.execs)
		this.selections.imageReplaced(entry)
		this.scans.want(event.pid)
		this.scans.wantAgain(entry, event.timeNs)
		known.update(entry)
	}

	private fork(event: ForkEvent): void {
		const { known } = this
		const entry = newEntry(event.pid, event.startNs, event.parentPid, event.comm)
		const parent = known.exact(event.parentPid, event.parentStartNs)
		if (parent !== undefined) inherit(entry, parent)
		known.adopt(entry)
		known.update(entry, true)
		if (parent === undefined) this.scans.want(event.pid)
	}

	private listen(event: ListenEvent): void {
		const { pid, startNs, port } = event
		const entry = this.known.exact(pid, startNs) ?? this.unannounced(pid, startNs)
		if (!entry.listenPorts.includes(port)) {
			entry.listenPorts = [...entry.listenPorts, port].sort((a, b) => a - b)
		}
		// By now the runtime's libraries are mapped.
		if (entry.language === 'generic') this.scans.want(pid)
		this.known.update(entry)
	}

	private unannounced(pid: number, startNs: number): Entry {
		const { known } = this
		this.counters.unannounced++
		const entry = newEntry(pid, startNs, 0, '')
		// Of two processes with one pid the younger is alive: a late record of the older must not push it out.
		const holder = known.current.get(pid)
		if (holder !== undefined && holder.startNs > startNs) {
			known.retire(entry, holder.startNs)
			return entry
		}
		known.adopt(entry)
		known.update(entry, true)
		this.scans.want(pid)
		return entry
	}
}
