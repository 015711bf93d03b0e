import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { ROLE } from '../../../src/capture/layout.gen.ts'
import { type Exchange, type Kernel, openKernel, type StorageForm } from './kernel.ts'
import { type Sockets, type Step, startSockets } from './sockets.ts'

/** A process that moves bytes as told, and the BPF programs that look at it and at nobody else. */
export interface WatchedSockets {
	readonly kernel: Kernel
	readonly sockets: Sockets
}

/**
 * To be called in a `describe` block, which owns both: they are there from its first test (its hooks included) to the end of
 * its last one, and one that did start is ended also when the other did not.
 */
export function watchedSockets(form: StorageForm, options: { ringBytes?: number } = {}): WatchedSockets {
	let kernel: Kernel | undefined
	let sockets: Sockets | undefined

	beforeAll(async () => {
		kernel = await openKernel(form, options)
		sockets = startSockets()
		kernel.select(sockets.pid)
	}, 120_000)
	afterAll(async () => {
		try {
			await sockets?.stop()
		} finally {
			kernel?.close()
		}
	})

	return {
		get kernel() {
			return started(kernel)
		},
		get sockets() {
			return started(sockets)
		},
	}
}

function started<T>(value: T | undefined): T {
	if (value === undefined) throw new Error('only while the tests of its describe block run')
	return value
}

/** After each test of the block: no exchange is open in the kernel, and the next test finds the ring empty. */
export function nothingStaysOpen(watched: WatchedSockets): void {
	afterEach(async () => {
		const { kernel } = watched
		await kernel.sweep()
		kernel.drain()
		expect(kernel.open()).toBe(0)
	})
}

/** Runs the steps: the exchanges as the server saw them, and as the client did, each in order of their end. */
export async function bothEnds(
	{ kernel, sockets }: WatchedSockets,
	...steps: (Step | Step[])[]
): Promise<{ server: Exchange[]; client: Exchange[] }> {
	await sockets.run(steps.flat())
	const all = kernel.exchanges()
	return {
		server: all.filter(({ role }) => role === ROLE.SERVER),
		client: all.filter(({ role }) => role === ROLE.CLIENT),
	}
}

/** What each exchange was: target, status, bytes of the request's and of the response's body. */
export const summary = (exchanges: readonly Exchange[]): unknown[] =>
	exchanges.map((one) => [one.target, one.status, one.requestBody, one.responseBody])
