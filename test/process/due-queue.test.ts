import { expect, test } from 'vitest'
import { DueQueue } from '../../src/process/due-queue.ts'

function takeAll(queue: DueQueue<string>, nowNs: number): string[] {
	const taken: string[] = []
	for (let item = queue.take(nowNs); item !== undefined; item = queue.take(nowNs)) taken.push(item)
	return taken
}

test('items come when their time has come, in the order in which they were queued', () => {
	const queue = new DueQueue<string>()
	queue.push('a', 100)
	queue.push('b', 100)
	queue.push('c', 200)
	expect(takeAll(queue, 99)).toEqual([])
	expect(takeAll(queue, 100)).toEqual(['a', 'b'])
	expect(takeAll(queue, 199)).toEqual([])
	expect(takeAll(queue, 1000)).toEqual(['c'])
	expect(takeAll(queue, 1000)).toEqual([])
	expect(queue.size).toBe(0)
})

test('an item queued again for a later time comes once, then, and holds up nobody', () => {
	const queue = new DueQueue<string>()
	queue.push('a', 100)
	queue.push('b', 150)
	queue.push('a', 200)
	expect(queue.size).toBe(2)
	expect(takeAll(queue, 150)).toEqual(['b'])
	expect(takeAll(queue, 199)).toEqual([])
	expect(takeAll(queue, 200)).toEqual(['a'])
})

test('an item queued again for the same time keeps its place, however often', () => {
	const queue = new DueQueue<string>()
	queue.push('a', 100)
	queue.push('b', 100)
	for (let i = 0; i < 1000; i++) queue.push('a', 100)
	expect(queue.size).toBe(2)
	expect(takeAll(queue, 100)).toEqual(['a', 'b'])
})

test('an item queued late for an early time comes late, with those before it, and never early', () => {
	const queue = new DueQueue<string>()
	queue.push('a', 150)
	queue.push('b', 100)
	expect(takeAll(queue, 120)).toEqual([])
	expect(takeAll(queue, 150)).toEqual(['a', 'b'])
})

test('a deleted item does not come, and may be queued again', () => {
	const queue = new DueQueue<string>()
	queue.push('a', 100)
	queue.push('b', 100)
	queue.delete('a')
	queue.delete('never queued')
	expect(queue.size).toBe(1)
	expect(takeAll(queue, 100)).toEqual(['b'])
	queue.push('a', 300)
	expect(takeAll(queue, 300)).toEqual(['a'])
})

test('an item may be queued again while what is due is taken', () => {
	const queue = new DueQueue<string>()
	queue.push('a', 100)
	queue.push('b', 100)
	const taken: string[] = []
	for (let item = queue.take(100); item !== undefined; item = queue.take(100)) {
		taken.push(item)
		queue.push(item, 200)
	}
	expect(taken).toEqual(['a', 'b'])
	expect(queue.size).toBe(2)
})
