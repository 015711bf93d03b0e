import type { ProcessFact } from '../model/process-fact.ts'
import type { Entry } from './entry.ts'
import { ExitedProcesses } from './exited.ts'
import { buildFact, sameFact } from './fact.ts'
import { toTick } from './identity.ts'
import type { KernelSelections } from './kernel-selections.ts'
import { type Candidate, evaluate, type SelectionRules, type Verdict } from './selection.ts'

export interface KnownCounters {
	/** Exited processes forgotten before their 30 s because more exited than are kept. */
	forgottenEarly: number
}

/** Who is alive and who was, by identity; the fact of each, and which facts are news. */
export class KnownProcesses {
	/** Alive, by pid. */
	readonly current = new Map<number, Entry>()
	/** Boot-clock ns of the last event or drain. */
	nowNs = 0
	/** Exec events so far: the image of an entry is the nth of them. */
	execs = 0
	/** Exited or replaced. */
	private readonly exited = new ExitedProcesses()
	/** Whose fact was not taken yet. */
	private readonly changed = new Set<Entry>()
	/** Facts of images that were replaced before anyone was told of them. */
	private readonly superseded: ProcessFact[] = []
	private readonly decide = (candidate: Candidate): Verdict => evaluate(this.rules, candidate)
	private rules: SelectionRules
	private readonly selfPid: number
	private readonly selections: KernelSelections
	private readonly counters: KnownCounters
	private readonly ended: (entry: Entry) => void

	/** `ended`: called for every process that was alive and is no more. */
	constructor(
		rules: SelectionRules,
		selfPid: number,
		selections: KernelSelections,
		counters: KnownCounters,
		ended: (entry: Entry) => void,
	) {
		this.rules = rules
		this.selfPid = selfPid
		this.selections = selections
		this.counters = counters
		this.ended = ended
	}

	/** The living process of this exact identity; one that was scanned gets its exact start time here. */
	exact(pid: number, startNs: number): Entry | undefined {
		const entry = this.current.get(pid)
		if (entry === undefined) return undefined
		if (entry.startNs === startNs) {
			entry.exactStart = true
			return entry
		}
		if (entry.exactStart || toTick(startNs) !== entry.startNs) return undefined
		entry.startNs = startNs
		entry.exactStart = true
		this.update(entry, true)
		return entry
	}

	findExited(pid: number, startNs: number): Entry | undefined {
		return this.exited.find(pid, startNs)
	}

	facts(): ProcessFact[] {
		return [...this.current.values(), ...this.exited.values()].map((entry) => entry.fact)
	}

	/** It is alive, so whoever had its pid is not. To be updated once it is filled in. */
	adopt(entry: Entry): void {
		const before = this.current.get(entry.pid)
		if (before !== undefined) this.retire(before, entry.startNs)
		this.current.set(entry.pid, entry)
	}

	/** It is not alive, or no more. */
	retire(entry: Entry, exitNs: number): void {
		entry.exitNs = exitNs
		const wasAlive = this.current.get(entry.pid) === entry
		if (wasAlive) this.current.delete(entry.pid)
		this.counters.forgottenEarly += this.exited.add(entry)
		if (wasAlive) {
			this.selections.ended(entry)
			this.ended(entry)
		}
		this.update(entry, !wasAlive)
	}

	/** Makes the fact anew and tells downstream and the kernel what changed. */
	update(entry: Entry, force = false): void {
		const isSelf = entry.pid === this.selfPid
		const { fact, verdict } = buildFact(entry, isSelf, this.decide, this.rules)
		entry.verdict = verdict
		if (force || !sameFact(entry.fact, fact)) {
			entry.fact = fact
			this.changed.add(entry)
		}
		if (entry.exitNs === 0) this.selections.tell(entry, this.nowNs)
	}

	/** Its image is about to be replaced: a fact that nobody was told of is told of all the same. */
	supersede(entry: Entry): void {
		if (entry.imageNs !== 0 && this.changed.has(entry)) this.superseded.push(entry.fact)
	}

	setRules(rules: SelectionRules): void {
		this.rules = rules
		for (const entry of this.current.values()) this.update(entry)
		for (const entry of this.exited.values()) this.update(entry)
	}

	/** All facts are news again. */
	announceAll(): void {
		for (const entry of this.exited.values()) this.changed.add(entry)
		for (const entry of this.current.values()) this.changed.add(entry)
	}

	takeChanged(): readonly ProcessFact[] {
		if (this.changed.size === 0) return NO_FACTS
		const facts = this.superseded.splice(0)
		for (const entry of this.changed) facts.push(entry.fact)
		this.changed.clear()
		return facts
	}

	/** Time has come so far: forgets who exited long ago, and tells the kernel what was waiting for it. */
	age(nowNs: number): void {
		this.nowNs = Math.max(this.nowNs, nowNs)
		this.exited.age(this.nowNs)
		this.selections.tellDue(this.nowNs)
	}
}

const NO_FACTS: readonly ProcessFact[] = []
