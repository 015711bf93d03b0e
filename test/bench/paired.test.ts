import { expect, test } from 'vitest'
import { pairedRounds } from '../../src/bench/paired.ts'
import { perRequest } from '../../src/bench/programs.ts'

/** A machine that gets slower all the time, and two things that cost 5 and 9 while they are attached. */
function machine() {
	const attached = new Set<number>()
	const order: string[] = []
	let time = 0
	const side = (index: number) => ({
		attach: async () => void attached.add(index),
		detach: async () => void attached.delete(index),
	})
	return {
		attached,
		order,
		sides: [side(0), side(1)],
		round: async () => {
			order.push([...attached].join('+') || '-')
			return 100 + time++ + (attached.has(0) ? 5 : 0) + (attached.has(1) ? 9 : 0)
		},
	}
}

test('who goes first changes, and a drift of the machine cancels out over two pairs', async () => {
	const { sides, round, order, attached } = machine()
	const { bare, extra } = await pairedRounds(2, sides, round)
	expect(order).toEqual(['-', '0', '1', '1', '0', '-'])
	expect(bare).toEqual([100, 105])
	expect(extra).toEqual([
		[6, 4],
		[11, 7],
	])
	expect(attached.size).toBe(0)
})

test('a failing round leaves nothing attached', async () => {
	const { sides, attached } = machine()
	const round = async (side: number | undefined) => {
		if (side === 1) throw new Error('no load')
		return 1
	}
	await expect(pairedRounds(3, sides, round)).rejects.toThrow('no load')
	expect(attached.size).toBe(0)
})

test('what programs do for others of the machine is taken off, by the time it took', () => {
	const reading = (runCount: number, runTimeNs: number) => [{ program: 'p', runCount, runTimeNs }]
	// At rest 10 calls of 100 ns in some time; under load in three times that, 30 of them are not ours.
	const result = perRequest(reading(100, 10_000), reading(110, 11_000), reading(340, 64_000), 3, 100)
	expect(result.get('p')).toEqual({ calls: expect.closeTo(2), others: 0.3, ns: 500 })
})
