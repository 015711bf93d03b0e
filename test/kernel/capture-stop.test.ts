import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCapture } from '../../src/capture/capture.ts'
import { createProcessTable } from '../../src/process/table.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { startCapture } from '../capture/support/live.ts'

/** Links, programs and maps that this process holds: while it holds a link, its program is attached. */
function held() {
	const count = { links: 0, all: 0 }
	for (const fd of readdirSync('/proc/self/fd')) {
		let kind = ''
		try {
			kind = readlinkSync(`/proc/self/fd/${fd}`)
		} catch {
			// The folder's own descriptor is closed by now.
		}
		if (/^anon_inode:.?bpf/.test(kind)) count.all++
		if (/^anon_inode:.?bpf.link/.test(kind)) count.links++
	}
	return count
}

/** The object ends when what still runs in it (a sweep of connections) has ended. */
async function freed(): Promise<void> {
	const deadline = performance.now() + 10_000
	while (held().all > 0 && performance.now() < deadline) await delay(10)
	expect(held()).toEqual({ links: 0, all: 0 })
}

// The times fall into the loading of the programs, their attaching, and the first scan; which into which is the machine's.
test.each([0, 50, 100, 200, 400])(
	'a capture stopped %i ms into its start leaves nothing attached',
	async (ms) => {
		const meter = createAccounting().meter('', 'ebpf.ringbuf.test')
		const capture = createCapture({ meter, processes: createProcessTable({}) })
		let isComplete = false
		capture.batches.subscribe({ complete: () => void (isComplete = true) })
		const started = capture.start()
		await delay(ms)
		await capture.stop()
		expect(held().links).toBe(0)
		expect(isComplete).toBe(true)
		await started
		await freed()
		await capture.stop()
	},
)

test('a running capture holds links, which are gone when its stop has ended', async () => {
	const { capture } = await startCapture()
	expect(held().links).toBeGreaterThan(5)
	await capture.stop()
	expect(held().links).toBe(0)
	await freed()
})
