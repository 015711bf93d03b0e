/**
 * Who is to be looked at again, and when. Queued again, an item is looked at once, at the later call's time. Items come in
 * the order in which they were queued; every queue has one delay, so this is the order of their times but for an item
 * queued late for an early time: it comes late, by at most that delay, never early.
 *
 * Bounded by its owner, who deletes what ended: one place for each living process.
 */
export class DueQueue<Item> {
	/** Boot-clock ns, oldest first. */
	private readonly dueNs = new Map<Item, number>()

	get size(): number {
		return this.dueNs.size
	}

	push(item: Item, dueNs: number): void {
		if (this.dueNs.get(item) === dueNs) return
		// Behind the others, as its new time is.
		this.dueNs.delete(item)
		this.dueNs.set(item, dueNs)
	}

	delete(item: Item): void {
		this.dueNs.delete(item)
	}

	/** Takes one out whose time has come; undefined: there is none. */
	take(nowNs: number): Item | undefined {
		if (this.dueNs.size === 0) return undefined
		for (const [item, dueNs] of this.dueNs) {
			if (dueNs > nowNs) return undefined
			this.dueNs.delete(item)
			return item
		}
		return undefined
	}
}
