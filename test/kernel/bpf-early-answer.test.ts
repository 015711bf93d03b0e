import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ROLE } from '../../src/capture/layout.gen.ts'
import { spawn } from '../helpers/spawn.ts'
import { type Exchange, openKernel, STORAGE_FORMS, type StorageForm } from './support/kernel.ts'

const SCRIPT = fileURLToPath(new URL('support/early_answer.py', import.meta.url))
const BODY = 32 << 20

/** The client's exchanges of the script: the hook of its first send runs after that of its first receive. */
async function clients(form: StorageForm, made: 'before' | 'after', entry: boolean): Promise<Exchange[]> {
	const kernel = await openKernel(form, { entry })
	const child = spawn('python3', [SCRIPT, made], { stdio: ['pipe', 'pipe', 'inherit'] })
	try {
		const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
		await lines.next()
		kernel.select(child.pid as number)
		child.stdin.write('\n')
		await lines.next()
		const ended = once(child, 'exit')
		child.stdin.write('\n')
		await ended
		expect(kernel.open()).toBe(0)
		const all = kernel.exchanges()
		return all.filter(({ role }) => role === ROLE.CLIENT)
	} finally {
		child.kill()
		kernel.close()
	}
}

const facts = (all: readonly Exchange[]) =>
	all.map((one) => [one.target, one.status, one.requestBody, one.flags.includes('PIPELINED')])
const REST = [
	['/second', 201, 0, false],
	['/third', 202, 0, false],
]

describe.each(STORAGE_FORMS)('a response read while its request is still being sent (%s)', (form) => {
	it.each([true, false])('is the request’s, start of sends seen: %s', async (entry) => {
		const all = await clients(form, 'after', entry)
		expect(facts(all)).toEqual([['/upload', 200, BODY, false], ...REST])
		expect(all.every(({ start, response, end }) => start <= response && response <= end)).toBe(true)
	})

	it.each([true, false])(
		'is nobody else’s where the connection was made before, start of sends seen: %s',
		async (entry) => {
			const all = facts(await clients(form, 'before', entry))
			expect(all.slice(-2)).toEqual(REST)
			if (all.length > 2) expect(all[0]).toEqual(['/upload', 200, BODY, false])
		},
	)
})
