import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPace, type Pace } from '../../src/capture/pace.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A ring of 3200 bytes, so that more than 100 a drain are many; every drain takes what stands first in `waiting`. */
function setup(onDrain: (pace: Pace) => void = () => {}) {
	const waiting: number[] = []
	const drained = {
		drains: 0,
		once() {
			drained.drains++
			const bytes = waiting.shift() ?? 0
			onDrain(pace)
			return bytes
		},
		get more() {
			return waiting.length > 0
		},
		ringBytes: 3200,
	}
	const pace = createPace(drained, 10, 50)
	return { pace, waiting, drained }
}

test('an idle ring is drained ever more rarely, down to the longest interval', () => {
	const { pace, drained } = setup()
	pace.start()
	expect(drained.drains).toBe(1)
	// 15, 22.5, 33.75 and then 50 ms, as every drain found nothing.
	vi.advanceTimersByTime(14)
	expect(drained.drains).toBe(1)
	vi.advanceTimersByTime(1)
	expect(drained.drains).toBe(2)
	vi.advanceTimersByTime(1000)
	const before = drained.drains
	vi.advanceTimersByTime(500)
	expect(drained.drains - before).toBe(10)
	pace.stop()
})

test('a ring that fills fast is drained as often as allowed, one with a little keeps its interval', () => {
	const { pace, waiting, drained } = setup()
	pace.start()
	vi.advanceTimersByTime(1000)
	waiting.push(101)
	pace.hurry()
	vi.advanceTimersByTime(1)
	const before = drained.drains
	waiting.push(100)
	vi.advanceTimersByTime(8)
	expect(drained.drains).toBe(before)
	vi.advanceTimersByTime(2)
	expect(drained.drains).toBe(before + 1)
	// Neither idle nor busy: ten more milliseconds.
	waiting.push(100)
	vi.advanceTimersByTime(10)
	expect(drained.drains).toBe(before + 2)
	pace.stop()
})

test('what does not fit in one drain is drained at once, one turn of the event loop each', () => {
	const { pace, waiting, drained } = setup()
	waiting.push(3000, 3000, 3000)
	const began = performance.now()
	pace.start()
	expect(drained.drains).toBe(1)
	vi.advanceTimersToNextTimer()
	expect(drained.drains).toBe(2)
	vi.advanceTimersToNextTimer()
	expect(drained.drains).toBe(3)
	// Far below the 10 ms of the timer, which is what comes next.
	expect(performance.now() - began).toBeLessThan(5)
	vi.advanceTimersByTime(10)
	expect(drained.drains).toBe(4)
	pace.stop()
})

test('however often it is asked to hurry, one drain comes', () => {
	const { pace, drained } = setup()
	pace.hurry()
	vi.advanceTimersByTime(100)
	expect(drained.drains).toBe(0)
	pace.start()
	for (let i = 0; i < 5; i++) pace.hurry()
	vi.advanceTimersByTime(0)
	expect(drained.drains).toBe(2)
	expect(vi.getTimerCount()).toBe(1)
	pace.stop()
})

test('nothing is drained after a stop, within a drain neither', () => {
	const within = setup((pace) => pace.stop())
	within.waiting.push(1, 1)
	within.pace.start()
	within.pace.hurry()
	expect(vi.getTimerCount()).toBe(0)
	expect(within.drained.drains).toBe(1)

	const { pace, drained } = setup()
	pace.start()
	pace.hurry()
	pace.stop()
	pace.stop()
	vi.advanceTimersByTime(1000)
	expect(drained.drains).toBe(1)
})
