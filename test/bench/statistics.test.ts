import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bootstrapMedian, isToldFromZero, median, quantile, summarise } from '../../src/bench/statistics.ts'

const some = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 })

test('the median is the value in the middle, or the mean of the two', () => {
	expect(median([3, 1, 2])).toBe(2)
	expect(median([4, 1, 3, 2])).toBe(2.5)
	expect(median([-5])).toBe(-5)
	expect(median([])).toBeNaN()
})

test('a quantile is one of the values', () => {
	const values = Array.from({ length: 100 }, (_, i) => 99 - i)
	expect(quantile(values, 0)).toBe(0)
	expect(quantile(values, 0.1)).toBe(10)
	expect(quantile(values, 1)).toBe(99)
	expect(quantile([], 0.5)).toBeNaN()
})

test('the interval holds the median, lies within the values and is the same each time', () => {
	fc.assert(
		fc.property(some, (values) => {
			const { low, high } = bootstrapMedian(values)
			const middle = median(values)
			expect(low).toBeLessThanOrEqual(middle)
			expect(high).toBeGreaterThanOrEqual(middle)
			expect(low).toBeGreaterThanOrEqual(Math.min(...values))
			expect(high).toBeLessThanOrEqual(Math.max(...values))
			expect(bootstrapMedian(values)).toEqual({ low, high })
		}),
		{ numRuns: 30 },
	)
})

test('the interval moves with the values and grows with their spread', () => {
	const tight = Array.from({ length: 20 }, (_, i) => 100 + (i % 5))
	const wide = tight.map((value) => 100 + (value - 100) * 10)
	const [a, b] = [bootstrapMedian(tight), bootstrapMedian(wide)]
	expect(b.high - b.low).toBeGreaterThan(5 * (a.high - a.low))
	const moved = bootstrapMedian(tight.map((value) => value + 1000))
	expect([moved.low, moved.high]).toEqual([a.low + 1000, a.high + 1000])
})

test('the 95 % interval of normal noise holds the true median about 95 times in 100', () => {
	// A generator of its own, so that the figure is the same in every run.
	let state = 7
	const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647
	const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
	let held = 0
	for (let i = 0; i < 200; i++) {
		const { low, high } = bootstrapMedian(Array.from({ length: 20 }, () => 3000 + 500 * normal()))
		if (low <= 3000 && high >= 3000) held++
	}
	expect(held).toBeGreaterThan(180)
	expect(held).toBeLessThan(200)
})

test('a summary has it all', () => {
	expect(summarise([1, 2, 3])).toMatchObject({ median: 2, p10: 1, count: 3 })
})

test('a difference is told from 0 where its interval leaves 0 out, on either side', () => {
	expect(isToldFromZero({ low: 1, high: 9 })).toBe(true)
	expect(isToldFromZero({ low: -9, high: -1 })).toBe(true)
	for (const [low, high] of [
		[-1, 9],
		[0, 9],
		[-9, 0],
		[Number.NaN, Number.NaN],
	] as const)
		expect(isToldFromZero({ low, high })).toBe(false)
})
