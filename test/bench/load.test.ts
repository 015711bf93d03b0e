import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from 'vitest'
import { type Load, startLoad } from '../../src/bench/load.ts'
import { packageRoot } from '../../src/capture/paths.ts'
import { eventually } from '../e2e/support/vor.ts'

let load: Load | undefined
const controller = new AbortController()
afterEach(async () => {
	await load?.stop()
	load = undefined
})

const small = { id: '', title: '', bytes: 5000, connections: 7, processes: 3, kernelRate: 0, userRate: 0 }
/** Ended, or waiting for its parent to take notice. */
const isGone = (pid: number): boolean =>
	!existsSync(`/proc/${pid}/stat`) || /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

describe.each(['c', 'node'] as const)('the load maker in %s', (maker) => {
	test('answers every request over all connections and servers, and tells the CPU time', {
		timeout: 60_000,
	}, async () => {
		load = await startLoad(maker, small, controller.signal)
		expect(load.servers).toHaveLength(3)
		expect(load.connections).toBe(7)
		for (const rate of [0, 400]) {
			const round = await load.round(rate, 250)
			expect(round.completed).toBe(round.sent)
			expect(round.errors).toBe(0)
			expect(round.clientNs).toBeGreaterThan(1000)
			expect(round.serverNs).toBeGreaterThan(1000)
			expect(round.wallNs).toBeGreaterThan(250e6)
			// Never more than asked for; fewer when the machine has no time.
			if (rate > 0) expect(round.sent).toBeLessThanOrEqual(101)
		}
		expect(await load.touch()).toMatchObject({ sent: 7, completed: 7, errors: 0 })
	})

	test('ends with all its servers', { timeout: 60_000 }, async () => {
		load = await startLoad(maker, small, controller.signal)
		const pids = [load.client, ...load.servers]
		expect(pids.filter(isGone)).toEqual([])
		await load.stop()
		await eventually(
			() => (pids.every(isGone) ? true : undefined),
			() => `left: ${pids.filter((pid) => !isGone(pid))}`,
		)
	})
})

test('where fewer files may be open there are fewer connections, and it says how many', async () => {
	const limits = ['--bounding-set=-all', '--inh-caps=-all', 'prlimit', '--nofile=200:200']
	const child = spawn('setpriv', [...limits, join(packageRoot(), 'dist/bench/load'), '1', '1000', '0'])
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	expect(JSON.parse((await lines.next()).value)).toMatchObject({ connections: 136, files: 200 })
	child.stdin.write('0 50 0\n')
	const { sent, completed, errors } = JSON.parse((await lines.next()).value)
	expect({ completed, errors }).toEqual({ completed: sent, errors: 0 })
	child.stdin.end()
})

test('an abort ends a round under way', { timeout: 30_000 }, async () => {
	const abort = new AbortController()
	const aborted = await startLoad('c', small, abort.signal)
	const round = aborted.round(100, 60_000)
	setTimeout(() => abort.abort(), 100)
	await expect(round).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
	await eventually(
		() => ([aborted.client, ...aborted.servers].every(isGone) ? true : undefined),
		() => 'it runs on',
	)
	await aborted.stop()
})
