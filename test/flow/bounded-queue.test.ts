import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBoundedQueue, type QueuePolicy } from '../../src/flow/bounded-queue.ts'

function queue(policy: QueuePolicy, capacity: number, weigh?: (item: number) => number) {
	const dropped: [number, string][] = []
	return {
		dropped,
		queue: createBoundedQueue<number>({
			capacity,
			policy,
			...(weigh === undefined ? {} : { weigh }),
			onDrop: (item, _, reason) => void dropped.push([item, reason]),
		}),
	}
}

describe('a bounded queue', () => {
	it('drops the newest', () => {
		const { queue: q, dropped } = queue('drop_newest', 2)
		expect([1, 2, 3].map(q.offer)).toEqual([true, true, false])
		expect(dropped).toEqual([[3, 'queue_full']])
		expect([q.poll(), q.poll(), q.poll()]).toEqual([1, 2, undefined])
	})

	it('drops the oldest', () => {
		const { queue: q, dropped } = queue('drop_oldest', 2)
		for (const item of [1, 2, 3]) expect(q.offer(item)).toBe(true)
		expect(dropped).toEqual([[1, 'queue_full']])
		expect([q.poll(), q.poll()]).toEqual([2, 3])
	})

	it('blocks until there is room, and drops nothing', async () => {
		const { queue: q, dropped } = queue('block', 1)
		expect(await q.push(1)).toBe(true)
		const second = q.push(2)
		expect(q.offer(3)).toBe(false)
		expect(await q.take()).toBe(1)
		expect(await second).toBe(true)
		expect(await q.take()).toBe(2)
		expect(dropped).toEqual([])
	})

	it('hands an item to who waits, and ends waiting at the close', async () => {
		const { queue: q, dropped } = queue('drop_newest', 1)
		const [first, second] = [q.take(), q.take()]
		q.offer(1)
		q.close()
		expect([await first, await second]).toEqual([1, undefined])
		q.offer(2)
		expect(dropped).toEqual([[2, 'queue_closed']])
	})

	it('can be emptied after the close, or cleared with every loss told', async () => {
		const { queue: q, dropped } = queue('drop_newest', 5)
		q.offer(1)
		q.offer(2)
		q.close()
		expect(await q.take()).toBe(1)
		q.clear()
		expect(dropped).toEqual([[2, 'queue_closed']])
		expect(await q.take()).toBeUndefined()
	})

	it('never holds more than its capacity, keeps order, and accounts for every item', () => {
		fc.assert(
			fc.property(
				fc.constantFrom<QueuePolicy>('drop_newest', 'drop_oldest'),
				fc.integer({ min: 1, max: 50 }),
				fc.array(fc.option(fc.integer({ min: 1, max: 20 })), { maxLength: 200 }),
				(policy, capacity, steps) => {
					const weights = new Map<number, number>()
					const { queue: q, dropped } = queue(policy, capacity, (item) => weights.get(item)!)
					const taken: number[] = []
					let offered = 0
					for (const step of steps) {
						if (step === null) {
							const item = q.poll()
							if (item !== undefined) taken.push(item)
						} else {
							weights.set(offered, step)
							q.offer(offered++)
						}
						expect(q.weight).toBeLessThanOrEqual(capacity)
					}
					expect(offered).toBe(taken.length + dropped.length + q.length)
					expect(taken).toEqual([...taken].sort((a, b) => a - b))
				},
			),
		)
	})
})
