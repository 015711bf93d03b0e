import type {
	ExecEvent,
	KernelSelection,
	ProbeSite,
	ProcessEvent,
	ProcessTracker,
} from '../model/process-event.ts'
import type { ProcessFact } from '../model/process-fact.ts'
import { buildFact, type Entry, inherit, newEntry, sameFact, takeScanned } from './entry.ts'
import type { ScannedProcess } from './scan.ts'
import { compileSelection, evaluate, type SelectionRules, type Verdict } from './selection.ts'
import { type ScanWorker, startScanWorker } from './worker-client.ts'

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

export interface ProcessTableCounters {
	events: number
	scans: number
	/** Scans that the worker could not answer. */
	scanFailures: number
	/** Records of processes that no event and no scan had told of. */
	unannounced: number
	/** Exited processes forgotten before their 30 s because more exited than are kept. */
	forgottenEarly: number
}

export interface ProcessTableOptions {
	readonly rules?: SelectionRules
	readonly selfPid?: number
	/** Tests hand in their own; default: a worker thread over /proc. */
	readonly worker?: ScanWorker
}

/** How long a process is remembered after its exit: its last records are still on their way. */
const KEEP_NS = 30e9
/** Some 60 MB of facts at most. */
const MAX_EXITED = 32768
const TICK_NS = 1e7
/** How long a process that only lacks a listening port is still captured as unknown. */
const AWAIT_PORT_NS = 30e9
/**
 * No image younger than this is rejected in the kernel: what runs it may be about to run another (`env`, `nice`, `sh -c`, a
 * wrapper of a container), and a rejection that comes after that exec would be about a program that nobody rejected.
 */
const REJECT_AFTER_NS = 100e6
/** Libraries of a runtime (libjvm) are mapped after exec: what is not known by then is looked at once more. */
const SECOND_LOOK_NS = 2e9
/** Pids asked of the worker at once. */
const SCAN_BATCH = 256

export function createProcessTable(options: ProcessTableOptions = {}): ProcessTable {
	return new Table(options)
}

interface Probe {
	/** open: to be asked for with the next process of the executable. */
	state: 'open' | 'asked' | 'attached' | 'failed'
	attempts: number
}

/** An executable that refuses so often will not take the probe. */
const PROBE_ATTEMPTS = 10

class Table implements ProcessTable {
	readonly counters: ProcessTableCounters = {
		events: 0,
		scans: 0,
		scanFailures: 0,
		unannounced: 0,
		forgottenEarly: 0,
	}
	/** Alive, by pid. */
	private readonly current = new Map<number, Entry>()
	/** Exited or replaced, oldest first, by identity. */
	private readonly exited = new Map<string, Entry>()
	private readonly changed = new Set<Entry>()
	/** Facts of images that were replaced before anyone was told of them. */
	private readonly superseded: ProcessFact[] = []
	private readonly selections: KernelSelection[] = []
	/** Executables whose probe was asked for, and what became of it. */
	private readonly probes = new Map<string, Probe>()
	private readonly sites: ProbeSite[] = []
	private readonly toScan = new Set<number>()
	private readonly secondLook: { entry: Entry; dueNs: number }[] = []
	/** Entries whose kernel verdict waits for a port, with the time after which it is final. */
	private readonly awaiting: { entry: Entry; dueNs: number }[] = []
	/** Entries whose rejection waits for their image to be old enough, in the order of their execs. */
	private readonly young: { entry: Entry; dueNs: number }[] = []
	private scanning = false
	private rescanning = false
	/** Who ended while a scan of all is under way: it may have found them alive. */
	private readonly gone = new Set<string>()
	private worker: ScanWorker | undefined
	private rules: SelectionRules
	private changeCallback: () => void = () => {}
	private nowNs = 0
	/** Exec events so far. */
	private execs = 0
	private readonly selfPid: number

	constructor(options: ProcessTableOptions) {
		this.rules = options.rules ?? compileSelection({}).rules
		this.selfPid = options.selfPid ?? process.pid
		this.worker = options.worker
	}

	prepare(): void {
		if (this.worker !== undefined) return
		this.worker = startScanWorker()
		// Thrown away: it is made too early to be complete. The scan that counts finds every executable looked into.
		this.worker.scan('all').catch(() => {
			if (this.worker !== undefined) this.counters.scanFailures++
		})
	}

	async start(): Promise<void> {
		this.worker ??= startScanWorker()
		this.counters.scans++
		const asked = this.execs
		for (const scanned of await this.worker.scan('all')) this.takeScan(scanned, asked)
	}

	rescan(): void {
		if (this.rescanning || this.worker === undefined) return
		this.rescanning = true
		this.counters.scans++
		// Who started after this may be missing from the scan and alive all the same.
		const askedNs = this.nowNs
		const asked = this.execs
		this.gone.clear()
		this.worker.scan('all').then(
			(found) => {
				this.rescanning = false
				const alive = new Set(found.map(({ pid }) => pid))
				for (const entry of [...this.current.values()]) {
					if (!alive.has(entry.pid) && entry.startNs < askedNs) this.retire(entry, askedNs)
				}
				for (const scanned of found) {
					if (!this.gone.has(tickIdentity(scanned.pid, scanned.startTickNs))) this.takeScan(scanned, asked)
				}
				this.changeCallback()
			},
			() => {
				this.rescanning = false
				if (this.worker !== undefined) this.counters.scanFailures++
			},
		)
	}

	async stop(): Promise<void> {
		const { worker } = this
		this.worker = undefined
		await worker?.stop()
	}

	onChange(callback: () => void): void {
		this.changeCallback = callback
	}

	apply(event: ProcessEvent): void {
		this.counters.events++
		if (event.timeNs > this.nowNs) this.nowNs = event.timeNs
		switch (event.kind) {
			case 'exec':
				this.exec(event)
				return
			case 'fork': {
				const entry = newEntry(event.pid, event.startNs, event.parentPid, event.comm)
				const parent = this.exact(event.parentPid, event.parentStartNs)
				if (parent !== undefined) inherit(entry, parent)
				this.adopt(entry)
				if (parent === undefined) this.toScan.add(event.pid)
				return
			}
			case 'exit': {
				const entry = this.exact(event.pid, event.startNs)
				if (entry !== undefined) this.retire(entry, event.timeNs)
				return
			}
			case 'listen': {
				const entry = this.exact(event.pid, event.startNs) ?? this.unannounced(event.pid, event.startNs)
				if (!entry.listenPorts.includes(event.port)) {
					entry.listenPorts = [...entry.listenPorts, event.port].sort((a, b) => a - b)
				}
				// By now the runtime's libraries are mapped.
				if (entry.language === 'generic') this.toScan.add(event.pid)
				this.update(entry)
				return
			}
		}
	}

	see(pid: number, startNs: number): void {
		const entry = this.current.get(pid)
		if (entry !== undefined && entry.startNs === startNs && entry.exactStart) return
		if (this.exact(pid, startNs) !== undefined) return
		if (this.exited.has(identity(pid, startNs))) return
		this.unannounced(pid, startNs)
	}

	takeFacts(nowNs: number): readonly ProcessFact[] {
		this.nowNs = Math.max(this.nowNs, nowNs)
		this.age()
		this.requestScans()
		if (this.changed.size === 0) return NO_FACTS
		const facts = this.superseded.splice(0)
		for (const entry of this.changed) facts.push(entry.fact)
		this.changed.clear()
		return facts
	}

	announceAll(): void {
		for (const entry of this.exited.values()) this.changed.add(entry)
		for (const entry of this.current.values()) this.changed.add(entry)
	}

	isAlive(pid: number, startNs: number): boolean {
		return this.exact(pid, startNs) !== undefined
	}

	takeSelections(): readonly KernelSelection[] {
		return this.selections.splice(0)
	}

	takeProbeSites(): readonly ProbeSite[] {
		return this.sites.splice(0)
	}

	probeAttached(site: ProbeSite, attached: boolean): void {
		const key = siteKey(site.executableKey, site.program)
		const probe = this.probes.get(key)
		if (probe === undefined) return
		// Most often the process whose path was used is gone: another one of the same executable may do.
		const retry = !attached && probe.attempts < PROBE_ATTEMPTS
		probe.state = attached ? 'attached' : retry ? 'open' : 'failed'
		for (const entry of this.current.values()) {
			if (entry.executableKey === site.executableKey) this.tellKernel(entry)
		}
	}

	facts(): ProcessFact[] {
		return [...this.current.values(), ...this.exited.values()].map((entry) => entry.fact)
	}

	find(pid: number, startNs: number): ProcessFact | undefined {
		return (this.exact(pid, startNs) ?? this.exited.get(identity(pid, startNs)))?.fact
	}

	setRules(rules: SelectionRules): void {
		this.rules = rules
		for (const entry of this.current.values()) this.update(entry)
		for (const entry of this.exited.values()) this.update(entry)
		this.changeCallback()
	}

	noteOtlpExport(pid: number, startNs: number, signal: 'traces' | 'metrics'): void {
		const entry = this.exact(pid, startNs)
		if (entry === undefined) return
		if (signal === 'traces') entry.seenTraces = true
		else entry.seenMetrics = true
		this.update(entry)
	}

	private exec(event: ExecEvent): void {
		let entry = this.exact(event.pid, event.startNs)
		if (entry === undefined) {
			entry = newEntry(event.pid, event.startNs, event.parentPid, event.comm)
			this.adopt(entry, false)
		}
		// A new image: nothing of the old one holds, but sockets without close-on-exec (the scan finds them again).
		if (entry.imageNs !== 0 && this.changed.has(entry)) this.superseded.push(entry.fact)
		entry.imageNs = event.timeNs
		entry.imageCount = ++this.execs
		entry.parentPid = event.parentPid
		entry.comm = event.comm
		entry.executable = event.filename
		entry.executableKey = ''
		entry.commandLine = event.args
		entry.commandLineFromExec = true
		entry.otelEnv = event.env
		entry.sdkVariables = new Map()
		entry.scannedLanguage = undefined
		entry.runtimeVersion = ''
		entry.linkedExporters = 'none'
		entry.packageName = ''
		entry.packageVersion = ''
		entry.sites = []
		entry.listenPorts = []
		entry.seenTraces = false
		entry.seenMetrics = false
		// The kernel forgot a rejection with the old image; one that was told since the exec is about the old one, too.
		if (entry.kernel === 'rejected') {
			entry.kernel = 'forget'
			this.selections.push({ pid: event.pid, selection: 'forget', nginx: false })
		}
		this.toScan.add(event.pid)
		this.secondLook.push({ entry, dueNs: event.timeNs + SECOND_LOOK_NS })
		this.update(entry)
	}

	/** The living process of this exact identity; one that was scanned gets its exact start time here. */
	private exact(pid: number, startNs: number): Entry | undefined {
		const entry = this.current.get(pid)
		if (entry === undefined) return undefined
		if (entry.startNs === startNs) {
			entry.exactStart = true
			return entry
		}
		if (entry.exactStart || Math.floor(startNs / TICK_NS) * TICK_NS !== entry.startNs) return undefined
		entry.startNs = startNs
		entry.exactStart = true
		this.update(entry, true)
		return entry
	}

	private unannounced(pid: number, startNs: number): Entry {
		this.counters.unannounced++
		const entry = newEntry(pid, startNs, 0, '')
		// Of two processes with one pid the younger is alive: a late record of the older must not push it out.
		const holder = this.current.get(pid)
		if (holder !== undefined && holder.startNs > startNs) {
			entry.exitNs = holder.startNs
			this.remember(entry)
			this.update(entry, true)
			return entry
		}
		this.adopt(entry)
		this.toScan.add(pid)
		return entry
	}

	private adopt(entry: Entry, tell = true): void {
		const before = this.current.get(entry.pid)
		if (before !== undefined) this.retire(before, entry.startNs)
		this.current.set(entry.pid, entry)
		if (tell) this.update(entry, true)
	}

	private retire(entry: Entry, exitNs: number): void {
		entry.exitNs = exitNs
		if (this.current.get(entry.pid) === entry) this.current.delete(entry.pid)
		this.remember(entry)
		if (this.rescanning) this.gone.add(tickIdentity(entry.pid, entry.startNs))
		this.toScan.delete(entry.pid)
		if (entry.kernel !== 'forget') {
			entry.kernel = 'forget'
			this.selections.push({ pid: entry.pid, selection: 'forget', nginx: false })
		}
		this.update(entry)
	}

	private remember(entry: Entry): void {
		this.exited.set(identity(entry.pid, entry.startNs), entry)
		if (this.exited.size <= MAX_EXITED) return
		for (const key of this.exited.keys()) {
			this.exited.delete(key)
			this.counters.forgottenEarly++
			break
		}
	}

	/** `asked`: the execs seen when the scan was asked for. */
	private takeScan(scanned: ScannedProcess, asked: number): void {
		let entry = this.current.get(scanned.pid)
		if (entry !== undefined && Math.floor(entry.startNs / TICK_NS) * TICK_NS !== scanned.startTickNs) {
			// Another process has the pid now, and its fork record is still in the ring: that one tells first.
			if (entry.startNs > scanned.startTickNs) return
			entry = undefined
		}
		// What /proc said may be about the image before (`sh -c`, `env` and their like live for a millisecond). It is asked again.
		if (entry !== undefined && entry.imageCount > asked) return
		if (entry === undefined) {
			entry = newEntry(scanned.pid, scanned.startTickNs, scanned.parentPid, scanned.comm)
			entry.exactStart = false
			this.adopt(entry, false)
		}
		takeScanned(entry, scanned)
		this.update(entry)
		this.askProbes(entry)
	}

	private askProbes(entry: Entry): void {
		if (entry.fact.selection !== 'selected') return
		for (const site of entry.sites) {
			const key = siteKey(entry.executableKey, site.program)
			const probe = this.probes.get(key) ?? { state: 'open', attempts: 0 }
			if (probe.state !== 'open') continue
			probe.state = 'asked'
			probe.attempts++
			this.probes.set(key, probe)
			this.sites.push({
				program: site.program,
				path: `/proc/${entry.pid}/exe`,
				offset: site.offset,
				executableKey: entry.executableKey,
			})
		}
	}

	/** Makes the fact anew and tells downstream and the kernel what changed. */
	private update(entry: Entry, force = false): void {
		const isSelf = entry.pid === this.selfPid
		const { fact, verdict } = buildFact(
			entry,
			isSelf,
			(candidate): Verdict => evaluate(this.rules, candidate),
			{
				excludeOtelInstrumented: this.rules.excludeOtelInstrumented,
			},
		)
		const same = !force && sameFact(entry.fact, fact)
		entry.verdict = verdict
		if (!same) {
			entry.fact = fact
			this.changed.add(entry)
		}
		if (entry.exitNs === 0) this.tellKernel(entry)
	}

	private tellKernel(entry: Entry): void {
		const verdict = entry.verdict
		if (verdict === undefined) return
		const nginx = entry.sites.some(
			(site) => this.probes.get(siteKey(entry.executableKey, site.program))?.state === 'attached',
		)
		let wanted: Entry['kernel'] = verdict.selection === 'rejected' ? 'rejected' : 'selected'
		if (verdict.awaitsPort && this.nowNs < entry.startNs + AWAIT_PORT_NS) {
			wanted = 'forget'
			this.awaiting.push({ entry, dueNs: entry.startNs + AWAIT_PORT_NS })
		}
		if (wanted === 'rejected' && entry.imageNs > 0 && this.nowNs < entry.imageNs + REJECT_AFTER_NS) {
			wanted = 'forget'
			this.young.push({ entry, dueNs: entry.imageNs + REJECT_AFTER_NS })
		}
		if (wanted === 'selected') this.askProbes(entry)
		if (wanted === entry.kernel && nginx === entry.kernelNginx) return
		// Unknown is captured like selected: nothing is written for what needs no entry.
		if (wanted === 'selected' && entry.kernel === 'forget' && !nginx) return
		entry.kernel = wanted
		entry.kernelNginx = nginx
		this.selections.push({ pid: entry.pid, selection: wanted, nginx })
	}

	private age(): void {
		const before = this.nowNs - KEEP_NS
		for (const [key, entry] of this.exited) {
			if (entry.exitNs >= before) break
			this.exited.delete(key)
		}
		while (this.secondLook.length > 0 && (this.secondLook[0]?.dueNs ?? 0) <= this.nowNs) {
			const { entry } = this.secondLook.shift() as { entry: Entry }
			if (entry.exitNs === 0 && entry.language === 'generic') this.toScan.add(entry.pid)
		}
		while (this.young.length > 0 && (this.young[0]?.dueNs ?? 0) <= this.nowNs) {
			const { entry } = this.young.shift() as { entry: Entry }
			if (entry.exitNs === 0) this.tellKernel(entry)
		}
		while (this.awaiting.length > 0 && (this.awaiting[0]?.dueNs ?? 0) <= this.nowNs) {
			const { entry } = this.awaiting.shift() as { entry: Entry }
			if (entry.exitNs === 0) this.tellKernel(entry)
		}
	}

	private requestScans(): void {
		if (this.scanning || this.toScan.size === 0 || this.worker === undefined) return
		const pids: number[] = []
		for (const pid of this.toScan) {
			if (pids.length === SCAN_BATCH) break
			pids.push(pid)
			this.toScan.delete(pid)
		}
		this.scanning = true
		this.counters.scans++
		const asked = this.execs
		const entries = pids.map((pid) => this.current.get(pid))
		this.worker.scan(pids).then(
			(found) => {
				this.scanning = false
				for (const scanned of found) {
					// Who ended meanwhile is not made anew.
					const entry = this.current.get(scanned.pid)
					if (entry !== undefined && entries.includes(entry)) this.takeScan(scanned, asked)
				}
				this.changeCallback()
			},
			() => {
				this.scanning = false
				if (this.worker !== undefined) this.counters.scanFailures++
			},
		)
	}
}

const NO_FACTS: readonly ProcessFact[] = []

function identity(pid: number, startNs: number): string {
	return `${pid}/${startNs}`
}

/** As /proc tells it, to 10 ms. */
function tickIdentity(pid: number, startNs: number): string {
	return identity(pid, Math.floor(startNs / TICK_NS) * TICK_NS)
}

function siteKey(executableKey: string, program: string): string {
	return `${executableKey}/${program}`
}
