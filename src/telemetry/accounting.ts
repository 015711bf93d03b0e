/**
 * The accounting every stage keeps (design, section 5), in its input unit:
 * received = sent + dropped{reason} + held. Call once per batch, never per item.
 */
export interface StageMeter {
	readonly path: string
	readonly id: string
	received(count: number): void
	sent(count: number): void
	/** `intentional` only for what the user asked to leave out (`reason` is then 'filtered'). */
	dropped(count: number, reason: string, intentional?: boolean): void
	/** Output of a stage that changes the unit: 'exchange', 'span', 'metric_point', 'request'. */
	produced(count: number, unit: string): void
	/** Reads how many items the stage holds now; asked at scrape time. */
	held(read: () => number): void
}

/** Totals of one stage, as the exposition and the tests read them. */
export interface StageTotals {
	readonly path: string
	readonly id: string
	received: number
	sent: number
	readonly dropped: Map<string, { count: number; intentional: boolean }>
	readonly produced: Map<string, number>
	held: () => number
}

/** All meters of one process (or of one test). A meter asked for twice is the same one: totals survive a reload. */
export interface Accounting {
	meter(path: string, id: string): StageMeter
	totals(): readonly StageTotals[]
	remove(path: string, id: string): void
}

export function createAccounting(): Accounting {
	const stages = new Map<string, { meter: StageMeter; totals: StageTotals }>()
	return {
		meter(path, id) {
			const key = `${path}\u0000${id}`
			let stage = stages.get(key)
			if (stage === undefined) {
				stage = createStage(path, id)
				stages.set(key, stage)
			}
			return stage.meter
		},
		totals: () => [...stages.values()].map((stage) => stage.totals),
		remove: (path, id) => void stages.delete(`${path}\u0000${id}`),
	}
}

function createStage(path: string, id: string): { meter: StageMeter; totals: StageTotals } {
	const totals: StageTotals = {
		path,
		id,
		received: 0,
		sent: 0,
		dropped: new Map(),
		produced: new Map(),
		held: () => 0,
	}
	const meter: StageMeter = {
		path,
		id,
		received: (count) => void (totals.received += count),
		sent: (count) => void (totals.sent += count),
		dropped(count, reason, intentional = false) {
			if (count === 0) return
			const entry = totals.dropped.get(reason)
			if (entry === undefined) totals.dropped.set(reason, { count, intentional })
			else entry.count += count
		},
		produced: (count, unit) => void totals.produced.set(unit, (totals.produced.get(unit) ?? 0) + count),
		held: (read) => void (totals.held = read),
	}
	return { meter, totals }
}
