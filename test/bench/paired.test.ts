import { expect, test } from 'vitest'
import { pairedRounds } from '../../src/bench/paired.ts'
import { medians, perRequest, type Runs } from '../../src/bench/programs.ts'

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

test('a program that others call more often than the load takes the whole figure with it, and is named', () => {
	const round = (runs: Readonly<Record<string, Runs>>) => new Map(Object.entries(runs))
	const path = { calls: 2, others: 0.1, ns: 900 }
	const instructions = new Map([['vor_send', 1234]])
	// Of the life of processes: called by others alone, seldom for a request.
	const quiet = round({ vor_send: path, vor_exec: { calls: 0, others: 0.2, ns: 3 } })
	expect(medians([quiet, quiet, quiet], instructions)).toEqual({
		programs: [
			{
				program: 'vor_send',
				callsPerRequest: 2,
				nsPerCall: 450,
				nsPerRequest: 900,
				verifiedInstructions: 1234,
			},
		],
		programsUntold: '',
	})
	// Others' calls became fewer while the load went: without them it looks as if it had none.
	for (const calls of [2, 0, -3]) {
		const loud = round({ vor_send: path, vor_exit: { calls, others: 9, ns: 500 } })
		expect(medians([loud, loud], instructions)).toEqual({
			programs: [],
			programsUntold: 'the rest of the machine calls vor_exit more often than the load',
		})
	}
})
