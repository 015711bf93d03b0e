import { afterEach, expect, test } from 'vitest'
import { beginEarlyLoad, dropEarlyLoad, loadEarlyOrNow } from '../../src/capture/early-load.ts'
import type { KernelObject, LoadOptions } from '../../src/capture/kernel-object.ts'
import { args } from '../../src/components/ebpf/ringbuf/args.ts'

const loaded: KernelObject[] = []

async function load(options: LoadOptions): Promise<KernelObject> {
	const kernel = await loadEarlyOrNow(options)
	loaded.push(kernel)
	return kernel
}

afterEach(() => {
	dropEarlyLoad()
	for (const { object } of loaded.splice(0)) object.close()
})

/** As `ebpf.ringbuf` asks for it when its block says nothing. */
const untouched: LoadOptions = {
	ringBytes: defaultOf('ring_size'),
	surface: defaultOf('surface'),
	storage: defaultOf('storage'),
	unixSockets: defaultOf('unix_sockets'),
}

function defaultOf(name: string): never {
	const field = args.fields[name]
	if (field?.kind !== 'attr') throw new Error(`ebpf.ringbuf has no attribute ${name}`)
	return field.default as never
}

test('what was loaded early is taken once, by the first that wants it as most do', async () => {
	const early = beginEarlyLoad()
	expect(beginEarlyLoad()).toBe(early)
	const taken = await load(untouched)
	expect(taken).toBe(await early)
	expect(taken.object.state).toBe('loaded')
	expect(await load(untouched)).not.toBe(taken)
})

test.each<[string, LoadOptions]>([
	['a ring of another size', { ringBytes: 64 * 1024 }],
	['no unix sockets', { unixSockets: false }],
	['another surface', { surface: 'syscall' }],
	['state in the hash', { storage: 'hash' }],
	['another process left out', { selfPid: 1 }],
])('who wants it otherwise gets an own one: %s', async (_, different) => {
	const early = beginEarlyLoad()
	const own = await load({ ...untouched, ...different })
	expect(own).not.toBe(await early)
	const { surface: wanted, storage: state } = different
	if (wanted !== undefined) expect(own.surface).toBe(wanted)
	if (state !== undefined) expect(own.storage).toBe(state)
	// And leaves the early one to others.
	expect(await load(untouched)).toBe(await early)
})

test('what nobody takes is given back to the kernel', async () => {
	const early = beginEarlyLoad()
	dropEarlyLoad()
	dropEarlyLoad()
	expect((await early).object.state).toBe('closed')
	expect((await load(untouched)).object.state).toBe('loaded')
})
