import { DueQueue } from './due-queue.ts'
import { type Entry, newEntry, takeScanned } from './entry.ts'
import { tickIdentity, toTick } from './identity.ts'
import type { KnownProcesses } from './known.ts'
import type { ScannedProcess } from './scan.ts'
import { type ScanWorker, startScanWorker, takeEarlyScan } from './worker-client.ts'

export interface ScanCounters {
	scans: number
	/** Scans that the worker could not answer. */
	scanFailures: number
}

/** Pids asked of the worker at once. */
const BATCH = 256
/** Libraries of a runtime (libjvm) are mapped after exec: what is not known by then is looked at once more. */
const SECOND_LOOK_NS = 2e9

/**
 * When /proc is asked, and what of its answers is believed: an answer is about the past. One scan of single processes and
 * one of all are under way at a time; what else is wanted meanwhile goes with the next one. Owns the worker.
 */
export class Scans {
	/** At most one for each living process. */
	private readonly wanted = new Set<number>()
	private readonly secondLook = new DueQueue<Entry>()
	private isScanning = false
	private isScanningAll = false
	/** Who ended while a scan of all is under way: it may have found them alive. */
	private readonly gone = new Set<string>()
	private worker: ScanWorker | undefined
	private readonly known: KnownProcesses
	private readonly counters: ScanCounters
	private readonly brought: () => void

	/** `brought`: called when a scan that nobody waits for has brought what it brings. */
	constructor(
		known: KnownProcesses,
		counters: ScanCounters,
		worker: ScanWorker | undefined,
		brought: () => void,
	) {
		this.known = known
		this.brought = brought
		this.counters = counters
		this.worker = worker
	}

	prepare(): void {
		if (this.worker !== undefined) return
		this.worker = takeEarlyScan()
		if (this.worker !== undefined) return
		this.worker = startScanWorker()
		// Thrown away: it is made too early to be complete. The scan that counts finds every executable looked into.
		this.worker.scan('all').catch(() => this.failed())
	}

	async start(): Promise<void> {
		this.worker ??= startScanWorker()
		this.counters.scans++
		const asked = this.known.execs
		for (const scanned of await this.worker.scan('all')) this.take(scanned, asked)
	}

	async stop(): Promise<void> {
		const { worker } = this
		this.worker = undefined
		await worker?.stop()
	}

	/** /proc may know more of this process than its record told. */
	want(pid: number): void {
		this.wanted.add(pid)
	}

	/** Its image of this time may not be complete yet. */
	wantAgain(entry: Entry, imageNs: number): void {
		this.secondLook.push(entry, imageNs + SECOND_LOOK_NS)
	}

	ended(entry: Entry): void {
		this.secondLook.delete(entry)
		this.wanted.delete(entry.pid)
		if (this.isScanningAll) this.gone.add(tickIdentity(entry.pid, entry.startNs))
	}

	/** Everything anew, since events were lost. */
	rescan(): void {
		if (this.isScanningAll || this.worker === undefined) return
		this.isScanningAll = true
		this.counters.scans++
		// Who started after this may be missing from the scan and alive all the same.
		const askedNs = this.known.nowNs
		const asked = this.known.execs
		this.gone.clear()
		this.worker.scan('all').then(
			(found) => {
				this.isScanningAll = false
				this.takeAll(found, asked, askedNs)
				this.brought()
			},
			() => {
				this.isScanningAll = false
				this.failed()
			},
		)
	}

	/** Asks for those who are wanted. */
	request(): void {
		const { known, secondLook } = this
		for (let entry = secondLook.take(known.nowNs); entry; entry = secondLook.take(known.nowNs)) {
			if (entry.language === 'generic') this.wanted.add(entry.pid)
		}
		if (this.isScanning || this.wanted.size === 0 || this.worker === undefined) return
		const pids: number[] = []
		for (const pid of this.wanted) {
			if (pids.length === BATCH) break
			pids.push(pid)
			this.wanted.delete(pid)
		}
		this.isScanning = true
		this.counters.scans++
		const asked = this.known.execs
		const { current } = known
		const entries = new Set(pids.map((pid) => current.get(pid)))
		this.worker.scan(pids).then(
			(found) => {
				this.isScanning = false
				for (const scanned of found) {
					// Who ended meanwhile is not made anew.
					const entry = current.get(scanned.pid)
					if (entry !== undefined && entries.has(entry)) this.take(scanned, asked)
				}
				this.brought()
			},
			() => {
				this.isScanning = false
				this.failed()
			},
		)
	}

	private takeAll(found: readonly ScannedProcess[], asked: number, askedNs: number): void {
		const { known } = this
		const alive = new Set(found.map(({ pid }) => pid))
		for (const entry of [...known.current.values()]) {
			if (!alive.has(entry.pid) && entry.startNs < askedNs) known.retire(entry, askedNs)
		}
		for (const scanned of found) {
			if (!this.gone.has(tickIdentity(scanned.pid, scanned.startTickNs))) this.take(scanned, asked)
		}
	}

	/** `asked`: the execs seen when the scan was asked for. */
	private take(scanned: ScannedProcess, asked: number): void {
		const { known } = this
		let entry = known.current.get(scanned.pid)
		if (entry !== undefined && toTick(entry.startNs) !== scanned.startTickNs) {
			// Another process has the pid now, and its fork record is still in the ring: that one tells first.
			if (entry.startNs > scanned.startTickNs) return
			entry = undefined
		}
		// What /proc said may be about the image before (`sh -c`, `env` and their like live for a millisecond). It is asked again.
		if (entry !== undefined && entry.imageCount > asked) return
		if (entry === undefined) {
			entry = newEntry(scanned.pid, scanned.startTickNs, scanned.parentPid, scanned.comm)
			entry.exactStart = false
			known.adopt(entry)
		}
		takeScanned(entry, scanned)
		known.update(entry)
	}

	/** A worker that was stopped answers nothing, and that is no failure. */
	private failed(): void {
		if (this.worker !== undefined) this.counters.scanFailures++
	}
}
