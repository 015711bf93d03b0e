/**
 * Items that came before the first fact about their process: tried again with every batch, given up after five seconds or
 * when too many wait.
 */
export interface FactWait<Item> {
	/** Tries the new items and those that wait. */
	offer(items: readonly Item[], timeNs: number): void
}

const WAIT_NS = 5e9
const MOST = 4096

/** `take` answers false while nothing is known of the item's process. */
export function createFactWait<Item>(
	take: (item: Item) => boolean,
	giveUp: (item: Item) => void,
): FactWait<Item> {
	let waiting: { readonly item: Item; readonly sinceNs: number }[] = []
	return {
		offer(items, timeNs) {
			if (waiting.length > 0) {
				const before = waiting
				waiting = []
				for (const each of before) {
					if (take(each.item)) continue
					if (timeNs - each.sinceNs < WAIT_NS) waiting.push(each)
					else giveUp(each.item)
				}
			}
			for (const item of items) {
				if (take(item)) continue
				if (waiting.length < MOST) waiting.push({ item, sinceNs: timeNs })
				else giveUp(item)
			}
		},
	}
}
