import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { printedNumber } from '../helpers/printed-number.ts'

const source = fileURLToPath(new URL('../../src/util/young-generation.ts', import.meta.url))

/**
 * Makes garbage of which some lives on for a while, some 0.4 MB a turn of the event loop, and starts a worker in between, which
 * resets V8's flag. Prints the most that the young generation ever took.
 */
const churn = (limit: string) => `
	import { getHeapSpaceStatistics } from 'node:v8'
	import { Worker } from 'node:worker_threads'
	import { limitYoungGeneration } from ${JSON.stringify(source)}
	${limit}
	const size = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size
	let kept = []
	let most = 0
	for (let turn = 0; turn < 600; turn++) {
		for (let i = 0; i < 4000; i++) {
			const each = { i, list: [i] }
			if (i % 4 === 0) kept.push(each)
			if (kept.length > 40000) kept = []
		}
		if (turn === 150) new Worker('', { eval: true })
		await new Promise((resolve) => setImmediate(resolve))
		most = Math.max(most, size())
	}
	console.log(most)`

const run = (limit: string): number => printedNumber(churn(limit))

describe('the young generation', () => {
	it('never grows beyond its limit, also after a worker thread has started', () => {
		const free = run('')
		const limited = run('limitYoungGeneration(8 << 20)')
		expect(free).toBeGreaterThan(16 << 20)
		expect(limited).toBe(8 << 20)
	}, 60_000)
})
