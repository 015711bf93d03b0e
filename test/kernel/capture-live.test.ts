import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listPrograms } from 'bpf-native-loader'
import { lastValueFrom, toArray } from 'rxjs'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { LAYOUT_HASH } from '../../src/capture/layout.ts'
import { createRecordingWriter } from '../../src/capture/recording-writer.ts'
import { createReplay } from '../../src/capture/replay.ts'
import type { KernelSelection, ProcessTracker } from '../../src/model/process-event.ts'
import { compileSelection } from '../../src/process/selection.ts'
import {
	type Live,
	NODE_SERVER,
	run,
	startCapture,
	startServer,
	stopServers,
} from '../capture/support/live.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-capture-'))
writeFileSync(join(folder, 'shop.js'), NODE_SERVER)
let live: Live | undefined

afterEach(async () => {
	await live?.capture.stop()
	live = undefined
	stopServers()
})
afterAll(() => rmSync(folder, { recursive: true }))

const shop = () => startServer(process.execPath, ['shop.js'], { cwd: folder })

function totals(of: Live) {
	const stage = of.accounting.totals()[0]
	if (stage === undefined) throw new Error('no stage')
	const dropped = [...stage.dropped.values()].reduce((sum, { count }) => sum + count, 0)
	return { ...stage, held: stage.held(), droppedSum: dropped }
}

describe.each([
	{ surface: 'tp_btf', storage: 'socket' },
	{ surface: 'tp_btf', storage: 'hash' },
	{ surface: 'syscall', storage: 'hash' },
] as const)('on surface $surface with connection state in the $storage', ({ surface, storage }) => {
	test('requests of programs that ran before and that started later are seen with their names', async () => {
		const before = await shop()
		live = await startCapture({ surface, storage })
		expect(live.capture).toMatchObject({ surface, storage })
		const after = await shop()
		for (const { port } of [before, after]) {
			await run('curl', ['-s', `http://127.0.0.1:${port}/a`, `http://127.0.0.1:${port}/missing/b`])
		}
		const of = (pid: number) => live?.seen.filter((exchange) => exchange.pid === pid) ?? []
		const clients = () =>
			live?.seen.filter(({ role, port }) => role === 'client' && port === after.port) ?? []
		await live.until(() => of(before.pid).length === 2 && of(after.pid).length === 2, 'both servers')
		await live.until(() => clients().length === 2, 'both requests of curl')
		for (const { pid, port } of [before, after]) {
			expect(of(pid)).toMatchObject([
				{
					role: 'server',
					status: 200,
					target: '/a',
					port,
					fact: { serviceName: 'shop', language: 'nodejs' },
				},
				{ role: 'server', status: 404, target: '/missing/b', port, fact: { selection: 'selected' } },
			])
		}
		expect(clients().map(({ fact }) => fact?.serviceName)).toEqual(['curl', 'curl'])
	})

	test('received = sent + dropped + held, and every request of a load is there', async () => {
		const server = await shop()
		live = await startCapture({ surface, storage })
		await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${server.port}/[1-2000]`], {
			maxBuffer: 1 << 24,
		})
		const of = () => live?.seen.filter(({ pid }) => pid === server.pid) ?? []
		await live.until(() => of().length >= 2000, '2000 requests')
		expect(of()).toHaveLength(2000)
		expect(new Set(of().map(({ target }) => target)).size).toBe(2000)
		await live.capture.stop()
		const { received, sent, droppedSum, held } = totals(live)
		expect(received).toBe(sent + droppedSum + held)
		expect(sent).toBe(live.seen.length)
		expect(live.capture.counters()).toMatchObject({ dropped_ring_full: 0, malformed: 0 })
	})

	test('with a ring too small spans are lost, counted, and their RED is in the fallback', async () => {
		const server = await shop()
		// One page, drained rarely: most of the burst finds it full.
		live = await startCapture({ surface, storage, ringBytes: 4096, minIntervalMs: 400, maxIntervalMs: 500 })
		await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${server.port}/[1-1500]`], {
			maxBuffer: 1 << 24,
		})
		await live.capture.stop()
		const { received, sent, dropped, droppedSum, held } = totals(live)
		expect(received).toBe(sent + droppedSum + held)
		expect(dropped.get('ring_full')?.count).toBeGreaterThan(500)
		const spans = live.seen.filter(({ pid }) => pid === server.pid).length
		const counted = live.fallback.filter(({ pid, role }) => pid === server.pid && role === 'server')
		expect(spans + counted.reduce((sum, { count }) => sum + count, 0)).toBe(1500)
		for (const entry of counted) {
			expect(entry).toMatchObject({ methodName: 'GET', status: 200, port: server.port })
			expect(entry.duration.reduce((a, b) => a + b)).toBe(entry.count)
			expect(entry.responseBody.reduce((a, b) => a + b)).toBe(entry.count)
			expect(entry.responseBodySum).toBe(entry.count * 5)
			expect(entry.durationSumNs).toBeGreaterThan(0)
		}
	})
})

test('300 programs of some milliseconds each are all named', async () => {
	const server = await shop()
	// The shell, whose children they are, and they: no traffic of others on this machine may fill the ring.
	const instrument = [{ exePath: '*/bash' }, { exePath: '*/curl' }]
	live = await startCapture({}, { rules: compileSelection({ instrument }).rules })
	const script = `for i in $(seq 300); do curl -s -o /dev/null http://127.0.0.1:${server.port}/$i; done`
	await run('bash', ['-c', script])
	const clients = () => live?.seen.filter(({ role, port }) => role === 'client' && port === server.port) ?? []
	await live.until(() => clients().length >= 300, '300 client exchanges')
	expect(clients()).toHaveLength(300)
	expect(new Set(clients().map(({ fact }) => fact?.serviceName))).toEqual(new Set(['curl']))
})

test('after the stop none of our programs is loaded any more', async () => {
	live = await startCapture()
	const ids = live.capture.programs().map(({ id }) => id)
	expect(ids.length).toBeGreaterThan(5)
	const loaded = () => listPrograms().filter(({ id }) => ids.includes(id)).length
	expect(loaded()).toBe(ids.length)
	await live.capture.stop()
	await live.capture.stop()
	// The kernel frees programs a grace period later.
	await live.until(() => loaded() === 0, 'the programs to be gone')
})

const rejectAll = (): KernelSelection[] =>
	readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map((name) => ({ pid: Number(name), selection: 'rejected', nginx: false }))

/** Nobody is looked at and nobody told of: the same as an idle machine. */
const silentTracker: ProcessTracker = {
	prepare: () => {},
	start: async () => {},
	apply: () => {},
	rescan: () => {},
	see: () => {},
	takeFacts: () => [],
	isAlive: () => false,
	takeSelections: rejectAll,
	takeProbeSites: () => [],
	probeAttached: () => {},
	onChange: () => {},
	stop: async () => {},
}

test('batches carry the time on when nothing happens', async () => {
	live = await startCapture({ processes: silentTracker })
	const times: number[] = []
	const subscription = live.capture.batches.subscribe(({ timeNs }) => times.push(timeNs))
	// What this very event loop is late by on a busy machine is not the capture's.
	let late = 0
	let last = performance.now()
	const ticks = setInterval(() => {
		const now = performance.now()
		late = Math.max(late, now - last - 10)
		last = now
	}, 10)
	await live.until(() => times.length > 5, 'six batches')
	clearInterval(ticks)
	subscription.unsubscribe()
	const gaps = times.slice(1).map((timeNs, i) => (timeNs - times[i]!) / 1e6)
	expect(Math.max(...gaps)).toBeLessThan(900 + late)
})

test('our own requests are never captured', async () => {
	const server = await shop()
	live = await startCapture()
	await (await fetch(`http://127.0.0.1:${server.port}/own`)).text()
	await live.until(() => live?.seen.some(({ target }) => target === '/own') === true, 'the server side')
	expect(live.seen.filter(({ target }) => target === '/own')).toMatchObject([{ role: 'server' }])
	expect(live.seen.some(({ pid }) => pid === process.pid)).toBe(false)
})

test('two captures at once see the same', async () => {
	const server = await shop()
	live = await startCapture()
	const second = await startCapture()
	try {
		await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${server.port}/[1-50]`])
		const count = (of: Live) => of.seen.filter(({ pid }) => pid === server.pid).length
		await live.until(() => count(live as Live) === 50 && count(second) === 50, 'both to see 50')
	} finally {
		await second.capture.stop()
	}
})

test('what is recorded live is replayed byte for byte, with the facts', async () => {
	const server = await shop()
	live = await startCapture()
	const path = join(folder, 'live.vorrec')
	const writer = createRecordingWriter(path, {
		layoutHash: LAYOUT_HASH,
		vorVersion: '0',
		surface: 'x',
		host: {},
	})
	const originals: Buffer[] = []
	const facts: unknown[] = []
	live.capture.batches.subscribe((batch) => {
		originals.push(Buffer.from(batch.bytes.subarray(0, batch.length)))
		facts.push(...batch.processes)
		writer.write(batch)
	})
	await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${server.port}/[1-200]`])
	await live.until(
		() => (live?.seen.filter(({ pid }) => pid === server.pid).length ?? 0) === 200,
		'200 requests',
	)
	await live.capture.stop()
	await writer.close()
	const batches = await lastValueFrom(createReplay(path).pipe(toArray()))
	const now = Date.now() / 1000
	expect(Buffer.concat(batches.map(({ bytes }) => bytes)).equals(Buffer.concat(originals))).toBe(true)
	expect(batches.flatMap(({ processes }) => processes)).toEqual(facts)
	const times = batches.map(({ timeNs }) => timeNs)
	expect(times).toEqual([...times].sort((a, b) => a - b))
	// The clock offset turns boot time into Unix time: the last batch is some seconds old at most.
	const last = batches.at(-1)
	const unix = (last?.clockOffset.seconds ?? 0) + ((last?.timeNs ?? 0) + (last?.clockOffset.nanos ?? 0)) / 1e9
	expect(Math.abs(unix - now)).toBeLessThan(30)
})

test('an object that is none is refused with what to do', async () => {
	const path = join(folder, 'none.bpf.o')
	writeFileSync(path, 'not an object')
	await expect(startCapture({ objectPath: path })).rejects.toMatchObject({ code: 'E_BPF_LOAD' })
	await expect(startCapture({ objectPath: '/nonexistent.bpf.o' })).rejects.toMatchObject({ name: 'VorError' })
})
