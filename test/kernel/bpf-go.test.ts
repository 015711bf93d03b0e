import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { METHOD, ROLE } from '../../src/capture/layout.gen.ts'
import { spawn } from '../helpers/spawn.ts'
import { type Exchange, openKernel, STORAGE_FORMS } from './support/kernel.ts'

const go = (() => {
	try {
		return execFileSync('go', ['version'], { encoding: 'utf8' }) !== ''
	} catch {
		return false
	}
})()

/** Go reads ahead by one byte and moves its work between threads: heads come in split, hooks run on other CPUs. */
describe.skipIf(!go).each(STORAGE_FORMS)('Go net/http (%s)', (form) => {
	let folder: string
	let program: string
	beforeAll(() => {
		folder = mkdtempSync(join(tmpdir(), 'vor-go-'))
		program = join(folder, 'load')
		const source = fileURLToPath(new URL('support/go-load/main.go', import.meta.url))
		execFileSync('go', ['build', '-o', program, source], {
			stdio: 'inherit',
			env: { ...process.env, GO111MODULE: 'off' },
		})
	}, 600_000)
	afterAll(() => {
		rmSync(folder, { recursive: true, force: true })
	})

	it.each([
		[2, true],
		[16, true],
		[2, false],
	])(
		'misses nothing and mistakes nothing over %i connections, start of sends seen: %s',
		async (connections, entry) => {
			const kernel = await openKernel(form, { ringBytes: 16 << 20, entry })
			const child = spawn(program, [String(connections)], { stdio: ['pipe', 'pipe', 'inherit'] })
			try {
				const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
				await lines.next()
				kernel.select(child.pid as number)
				child.stdin.write('\n')
				const asked = Number((await lines.next()).value)
				const ended = once(child, 'exit')
				child.stdin.write('\n')
				await ended
				const all = kernel.exchanges()
				const clients = new Map<string, Exchange>()
				for (const one of all) if (one.role === ROLE.CLIENT) clients.set(one.target, one)
				expect(LOSSES.filter((name) => kernel.counter(name) > 0)).toEqual([])
				expect(all.length).toBe(asked * 2)
				expect(clients.size).toBe(asked)
				const wrong = all.filter((one) => !isRight(one, clients))
				expect(wrong).toEqual([])
				expect(kernel.open()).toBe(0)
			} finally {
				child.kill()
				kernel.close()
			}
		},
		120_000,
	)
})

const LOSSES = [
	...(['DROPPED_RING_FULL', 'DROPPED_PIPELINE', 'DROPPED_STATE_LOST', 'STATE_FULL'] as const),
	...(['READ_FAULT', 'MALFORMED', 'UNSEEN_SEGMENT'] as const),
]

/** Every request is answered by its own response, seen whole, before the next one is sent. */
const WRONG = ['CLOSED', 'EARLY_RESPONSE', 'PIPELINED', 'SIZE_INEXACT']

function isRight(one: Exchange, clients: ReadonlyMap<string, Exchange>): boolean {
	const n = Number(one.target.slice(1))
	const status = 200 + (n % 50)
	const post = n % 3 === 0
	const head = !post && n % 5 === 1
	const joined = !one.flags.includes('JOINED') || one.parentId === clients.get(one.target)?.spanId
	return (
		one.status === status &&
		one.method === (post ? METHOD.POST : head ? METHOD.HEAD : METHOD.GET) &&
		one.requestBody === (post ? (n % 100) + (n % 2 === 0 ? 5000 : 0) : 0) &&
		one.responseBody === (status === 204 || head ? 0 : n % 977) &&
		one.start <= one.response &&
		one.response <= one.end &&
		WRONG.every((flag) => !one.flags.includes(flag)) &&
		joined
	)
}
