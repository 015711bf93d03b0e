import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { printedNumber } from '../helpers/printed-number.ts'

const source = fileURLToPath(new URL('../../src/util/heap-growth.ts', import.meta.url))

/** Some 30 MB are alive and replaced again and again. Prints the most that the heap ever took. */
const churn = (limit: string) => `
	import { getHeapStatistics } from 'node:v8'
	import { limitHeapGrowth } from ${JSON.stringify(source)}
	${limit}
	const alive = []
	let most = 0
	for (let turn = 0; turn < 400; turn++) {
		for (let i = 0; i < 4000; i++) alive[(turn * 4000 + i) % 200000] = { turn, list: [i, turn] }
		await new Promise((resolve) => setImmediate(resolve))
		most = Math.max(most, getHeapStatistics().total_heap_size)
	}
	console.log(most)`

const run = (limit: string): number => printedNumber(churn(limit))

it('the heap takes less when its growth is limited', () => {
	expect(run('limitHeapGrowth(25)')).toBeLessThan(run('') * 0.8)
}, 60_000)
