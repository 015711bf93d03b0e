import type { ProcessFact } from '../model/process-fact.ts'
import type { Resource } from '../model/resource.ts'

/** A process as correlate sees it: its newest fact and the resource made of it. */
export interface ProcessEntry {
	fact: ProcessFact
	resource: Resource
	/** It was seen exporting traces or metrics itself, by its traffic. */
	exportsTraces: boolean
	exportsMetrics: boolean
	/** Made up from an exchange, before any fact arrived. */
	provisional: boolean
	/** The image that had this pid before. */
	older: ProcessEntry | undefined
}

export interface ProcessTable {
	learn(facts: readonly ProcessFact[]): void
	/** `atNs`: the image that ran then; without it the newest. */
	find(pid: number, startNs: number, atNs?: number): ProcessEntry | undefined
	/** Enters a process that traffic knows and facts do not yet. */
	provisional(pid: number, startNs: number): ProcessEntry
	/** Forgets processes that are gone for long enough. */
	sweep(timeNs: number): void
	readonly size: number
}

/** Start times read from /proc are cut to clock ticks of 10 ms; the kernel's are exact. */
const START_TOLERANCE_NS = 20_000_000
/** An exchange may come out of the kernel when its process is long gone (a reader that was asleep). */
const KEPT_AFTER_EXIT_NS = 60_000_000_000
/** Earlier images of one pid. */
const IMAGES_KEPT = 8
const SWEEP_EVERY_NS = 5_000_000_000
/** A made-up entry whose fact never came. */
const PROVISIONAL_NS = 300_000_000_000

export function createProcessTable(resourceOf: (fact: ProcessFact) => Resource): ProcessTable {
	const entries = new Map<number, ProcessEntry>()
	let nextSweepNs = 0
	let newestNs = 0

	function find(pid: number, startNs: number, atNs = Number.POSITIVE_INFINITY): ProcessEntry | undefined {
		let entry = entries.get(pid)
		let oldest: ProcessEntry | undefined
		while (entry !== undefined) {
			const difference = entry.fact.startNs - startNs
			if (difference < START_TOLERANCE_NS && difference > -START_TOLERANCE_NS) {
				if ((entry.fact.imageNs ?? 0) <= atNs) return entry
				oldest = entry
			}
			entry = entry.older
		}
		return oldest
	}

	/** The process has become another program. What it did before is still on its way, under its old name. */
	function replaceImage(entry: ProcessEntry, fact: ProcessFact): void {
		entry.fact = { ...entry.fact, exitNs: fact.imageNs ?? 0 }
		let last = enter(fact, false)
		for (let i = 0; i < IMAGES_KEPT && last.older !== undefined; i++) last = last.older
		last.older = undefined
	}

	function enter(fact: ProcessFact, provisional: boolean): ProcessEntry {
		const entry: ProcessEntry = {
			fact,
			resource: resourceOf(fact),
			exportsTraces: false,
			exportsMetrics: false,
			provisional,
			older: entries.get(fact.pid),
		}
		entries.set(fact.pid, entry)
		return entry
	}

	return {
		find,
		learn(facts) {
			for (const fact of facts) {
				const entry = find(fact.pid, fact.startNs)
				if (entry === undefined) enter(fact, false)
				else if (!entry.provisional && (fact.imageNs ?? 0) > (entry.fact.imageNs ?? 0))
					replaceImage(entry, fact)
				else {
					if (entry.provisional || !sameIdentity(entry.fact, fact)) entry.resource = resourceOf(fact)
					entry.fact = fact
					entry.provisional = false
				}
			}
		},
		provisional: (pid, startNs) => enter(unknownProcess(pid, startNs), true),
		sweep(timeNs) {
			newestNs = timeNs
			if (timeNs < nextSweepNs) return
			nextSweepNs = timeNs + SWEEP_EVERY_NS
			for (const [pid, entry] of entries) {
				const kept = withoutDead(entry, newestNs)
				if (kept === undefined) entries.delete(pid)
				else if (kept !== entry) entries.set(pid, kept)
			}
		},
		get size() {
			return entries.size
		},
	}
}

function withoutDead(entry: ProcessEntry, timeNs: number): ProcessEntry | undefined {
	const older = entry.older === undefined ? undefined : withoutDead(entry.older, timeNs)
	const { exitNs, startNs } = entry.fact
	const dead =
		(exitNs !== 0 && timeNs - exitNs > KEPT_AFTER_EXIT_NS) ||
		(entry.provisional && timeNs - startNs > PROVISIONAL_NS)
	entry.older = older
	return dead ? older : entry
}

/** A new fact with the same answers here keeps the Resource object, and with it the encoded bytes and the series. */
function sameIdentity(a: ProcessFact, b: ProcessFact): boolean {
	return (
		a.serviceName === b.serviceName &&
		a.serviceNamespace === b.serviceNamespace &&
		a.serviceVersion === b.serviceVersion &&
		a.language === b.language &&
		a.executable === b.executable &&
		a.containerId === b.containerId &&
		a.comm === b.comm &&
		a.parentPid === b.parentPid &&
		a.ownerUid === b.ownerUid &&
		sameList(a.commandLine, b.commandLine) &&
		sameRecord(a.resourceAttributes, b.resourceAttributes)
	)
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
	return a === b || (a.length === b.length && a.every((text, i) => text === b[i]))
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
	if (a === b) return true
	const keys = Object.keys(a)
	return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

function unknownProcess(pid: number, startNs: number): ProcessFact {
	return {
		pid,
		startNs,
		parentPid: 0,
		comm: '',
		executable: '',
		commandLine: [],
		language: 'generic',
		// The conventions' fallback where nothing is known.
		serviceName: 'unknown_service',
		serviceNameSource: 'comm',
		serviceNamespace: '',
		serviceVersion: '',
		resourceAttributes: {},
		containerId: '',
		ownerUid: 0,
		listenPorts: [],
		selection: 'unknown',
		selectionReason: 'no process fact has arrived',
		exportsOtlp: 'none',
		exitNs: 0,
	}
}
