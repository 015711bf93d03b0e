import type { KernelSelection } from '../model/process-event.ts'
import { DueQueue } from './due-queue.ts'
import type { Entry } from './entry.ts'
import type { ProbeSites } from './probe-sites.ts'

/** How long a process that only lacks a listening port is still captured as unknown. */
const AWAIT_PORT_NS = 30e9
/**
 * No image and no child younger than this is rejected in the kernel: what runs it may be about to run another (`env`, `nice`,
 * `sh -c`, a wrapper of a container; every child of a shell), and a rejection that comes after that exec would be about a
 * program that nobody rejected.
 */
const REJECT_AFTER_NS = 100e6

/** What the kernel is told of each process: its verdict, once that is safe to tell, and whether its executable is probed. */
export class KernelSelections {
	/** Since the last take, in order: a later one of the same pid holds. */
	private readonly untold: KernelSelection[] = []
	/** Whose rejection waits for a port, and is final after that. */
	private readonly awaitingPort = new DueQueue<Entry>()
	/** Whose rejection waits for their image to be old enough. */
	private readonly young = new DueQueue<Entry>()
	private readonly probes: ProbeSites

	constructor(probes: ProbeSites) {
		this.probes = probes
	}

	take(): readonly KernelSelection[] {
		return this.untold.splice(0)
	}

	/** A living process has a new verdict, its probe hangs, or time has passed. */
	tell(entry: Entry, nowNs: number): void {
		const { verdict } = entry
		if (verdict === undefined) return
		const nginx = this.probes.isProbed(entry)
		let wanted: Entry['kernel'] = verdict.selection === 'rejected' ? 'rejected' : 'selected'
		const portDueNs = entry.startNs + AWAIT_PORT_NS
		if (verdict.awaitsPort && nowNs < portDueNs) {
			wanted = 'forget'
			this.awaitingPort.push(entry, portDueNs)
		}
		const oldDueNs = Math.max(entry.imageNs, entry.startNs) + REJECT_AFTER_NS
		if (wanted === 'rejected' && nowNs < oldDueNs) {
			wanted = 'forget'
			this.young.push(entry, oldDueNs)
		}
		if (wanted === 'selected') this.probes.ask(entry)
		if (wanted === entry.kernel && nginx === entry.kernelNginx) return
		// Unknown is captured like selected: nothing is written for what needs no entry.
		if (wanted === 'selected' && entry.kernel === 'forget' && !nginx) return
		entry.kernel = wanted
		entry.kernelNginx = nginx
		this.untold.push({ pid: entry.pid, selection: wanted, nginx })
	}

	/** Tells of those whose waiting is over. */
	tellDue(nowNs: number): void {
		const { young, awaitingPort } = this
		for (let entry = young.take(nowNs); entry; entry = young.take(nowNs)) this.tell(entry, nowNs)
		for (let entry = awaitingPort.take(nowNs); entry; entry = awaitingPort.take(nowNs))
			this.tell(entry, nowNs)
	}

	/** The kernel forgot a rejection with the old image; one that was told since the exec is about the old one, too. */
	imageReplaced(entry: Entry): void {
		if (entry.kernel === 'rejected') this.forget(entry)
	}

	/** The process has ended: nothing about it waits any more. */
	ended(entry: Entry): void {
		this.young.delete(entry)
		this.awaitingPort.delete(entry)
		if (entry.kernel !== 'forget') this.forget(entry)
	}

	private forget(entry: Entry): void {
		entry.kernel = 'forget'
		this.untold.push({ pid: entry.pid, selection: 'forget', nginx: false })
	}
}
