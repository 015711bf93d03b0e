/** What happens when a full queue is offered an item. */
export type QueuePolicy = 'drop_newest' | 'drop_oldest' | 'block'

export interface BoundedQueueOptions<Item> {
	/** In units of `weigh`. */
	readonly capacity: number
	readonly policy: QueuePolicy
	/** How much of the capacity an item takes (spans of a batch, bytes); default 1 each. */
	readonly weigh?: (item: Item) => number
	/** Every item that is lost, with its weight. */
	readonly onDrop: (item: Item, weight: number, reason: 'queue_full' | 'queue_closed') => void
}

/**
 * The one way over an asynchronous hop: bounded, with a named policy, every loss told. One consumer takes with `take`;
 * producers `offer` (never waits) or, under `block`, may await `push`.
 */
export interface BoundedQueue<Item> {
	/** False: this item was dropped (or, under `block`, not taken: the caller keeps it). */
	offer(item: Item): boolean
	/** Waits for room under `block`, else as `offer`. */
	push(item: Item): Promise<boolean>
	/** The next item, waiting for it; undefined once closed and empty. */
	take(): Promise<Item | undefined>
	/** The next item if there is one. */
	poll(): Item | undefined
	/** No more offers; what is queued can still be taken. */
	close(): void
	/** Drops what is left. */
	clear(): void
	readonly length: number
	/** Sum of weights. */
	readonly weight: number
}

export function createBoundedQueue<Item>(options: BoundedQueueOptions<Item>): BoundedQueue<Item> {
	const { capacity, policy, onDrop } = options
	const weigh = options.weigh ?? (() => 1)
	// A ring that grows by doubling: no shifting of arrays under load.
	let ring: (Item | undefined)[] = new Array(16).fill(undefined)
	let head = 0
	let length = 0
	let weight = 0
	let closed = false
	const takers: ((item: Item | undefined) => void)[] = []
	const pushers: (() => void)[] = []

	function append(item: Item, itemWeight: number): void {
		const taker = takers.shift()
		if (taker !== undefined) {
			taker(item)
			return
		}
		if (length === ring.length) grow()
		ring[(head + length) & (ring.length - 1)] = item
		length++
		weight += itemWeight
	}

	function grow(): void {
		const larger: (Item | undefined)[] = new Array(ring.length * 2).fill(undefined)
		for (let i = 0; i < length; i++) larger[i] = ring[(head + i) & (ring.length - 1)]
		ring = larger
		head = 0
	}

	function removeFirst(): Item | undefined {
		if (length === 0) return undefined
		const item = ring[head] as Item
		ring[head] = undefined
		head = (head + 1) & (ring.length - 1)
		length--
		weight -= weigh(item)
		return item
	}

	function offer(item: Item): boolean {
		const itemWeight = weigh(item)
		if (closed) {
			onDrop(item, itemWeight, 'queue_closed')
			return false
		}
		if (itemWeight > capacity || (policy !== 'drop_oldest' && weight + itemWeight > capacity)) {
			if (policy !== 'block' || itemWeight > capacity) onDrop(item, itemWeight, 'queue_full')
			return false
		}
		while (weight + itemWeight > capacity) {
			const oldest = removeFirst() as Item
			onDrop(oldest, weigh(oldest), 'queue_full')
		}
		append(item, itemWeight)
		return true
	}

	function poll(): Item | undefined {
		const item = removeFirst()
		if (item !== undefined) pushers.shift()?.()
		return item
	}

	return {
		offer,
		poll,
		async push(item) {
			const itemWeight = weigh(item)
			while (policy === 'block' && !closed && itemWeight <= capacity && weight + itemWeight > capacity)
				await new Promise<void>((resolve) => pushers.push(resolve))
			return offer(item)
		},
		take() {
			if (length > 0) return Promise.resolve(poll())
			if (closed) return Promise.resolve(undefined)
			return new Promise((resolve) => takers.push(resolve))
		},
		close() {
			closed = true
			for (const taker of takers.splice(0)) taker(undefined)
			for (const pusher of pushers.splice(0)) pusher()
		},
		clear() {
			for (let item = removeFirst(); item !== undefined; item = removeFirst())
				onDrop(item, weigh(item), 'queue_closed')
			for (const pusher of pushers.splice(0)) pusher()
		},
		get length() {
			return length
		},
		get weight() {
			return weight
		},
	}
}
