'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { open, until } = require('./helpers.js')

const FORCE = 2
const NO_WAKEUP = 1
const settle = (ms = 60) => new Promise((resolve) => setTimeout(resolve, ms))

async function loaded(t, only = ['bpfl_produce']) {
	const object = open('ring', { only })
	t.after(() => object.close())
	await object.load()
	const program = only.includes('bpfl_produce') ? object.program('bpfl_produce') : undefined
	const produce = (length, count, { discard = false, flags = NO_WAKEUP } = {}) =>
		program.testRun({
			context: new Uint8Array(new BigUint64Array([length, count, discard, flags].map(BigInt)).buffer),
		})
	return { object, ring: object.map('ring').ring(), produce }
}

/** Checks the records in `bytes` and returns their sequence numbers. */
function check(bytes) {
	const numbers = []
	for (let at = 0; at < bytes.length; ) {
		const number = Number(bytes.readBigUInt64LE(at))
		const length = Number(bytes.readBigUInt64LE(at + 8))
		for (let i = 16; i < length; i++) assert.equal(bytes[at + i], (number + i) & 255)
		const end = (length + 7) & ~7
		for (let i = length; i < end; i++) assert.equal(bytes[at + i], 0)
		numbers.push(number)
		at += end
	}
	return numbers
}

test('a drain returns whole records in order, padded to 8', async (t) => {
	const { ring, produce } = await loaded(t)
	assert.equal(ring.size, 4096)
	assert.equal(ring.available(), 0)
	assert.equal(ring.nextSize(), 0)
	produce(21, 5)
	assert.equal(ring.nextSize(), 21)
	assert.equal(ring.available(), 5 * 32)
	const into = Buffer.alloc(4096)
	const bytes = ring.drain(into)
	assert.equal(bytes, 5 * 24)
	assert.equal(ring.lastRecords, 5)
	assert.equal(ring.more, false)
	assert.deepEqual(check(into.subarray(0, bytes)), [0, 1, 2, 3, 4])
	assert.equal(ring.drain(into), 0)
	assert.equal(ring.lastRecords, 0)
})

test('a record that does not fit stays for the next drain', async (t) => {
	const { ring, produce } = await loaded(t)
	produce(100, 3)
	const into = Buffer.alloc(4096)
	assert.equal(ring.drain(into.subarray(0, 103)), 0)
	assert.equal(ring.more, true)
	assert.equal(ring.nextSize(), 100)
	assert.equal(ring.drain(new Uint8Array(0)), 0)
	assert.equal(ring.more, true)
	assert.equal(ring.drain(into.subarray(0, 104 + 103)), 104)
	assert.equal(ring.more, true)
	assert.equal(ring.drain(into.subarray(104, 208)), 104)
	assert.equal(ring.drain(into.subarray(208, 312), 0), 0)
	assert.equal(ring.more, true)
	assert.equal(ring.drain(into.subarray(208, 312)), 104)
	assert.equal(ring.more, false)
	assert.deepEqual(check(into.subarray(0, 312)), [0, 1, 2])
})

test('discarded records are skipped and counted', async (t) => {
	const { ring, produce } = await loaded(t)
	produce(0, 4, { discard: true })
	produce(40, 1)
	produce(0, 2, { discard: true })
	produce(40, 1)
	assert.equal(ring.nextSize(), 40)
	const into = Buffer.alloc(4096)
	assert.equal(ring.drain(into, 1), 40)
	assert.equal(ring.more, true)
	assert.equal(ring.drain(into.subarray(40)), 40)
	assert.deepEqual(check(into.subarray(0, 80)), [0, 1])
	produce(0, 3, { discard: true })
	assert.equal(ring.nextSize(), 0)
	assert.equal(ring.drain(into), 0)
	assert.equal(ring.lastDiscarded, 3)
	assert.equal(ring.available(), 0)
})

test('records come out whole from every place of the ring, over its end too', async (t) => {
	const { ring, produce } = await loaded(t)
	const into = Buffer.alloc(8192)
	let next = 0
	for (let round = 0; round < 400; round++) {
		produce(16 + ((round * 37) % 1000), 1 + (round % 3))
		const numbers = check(into.subarray(0, ring.drain(into)))
		for (const number of numbers) assert.equal(number, next++)
	}
	assert.equal(next, 799)
	assert.equal(ring.available(), 0)
})

test('under load each record comes once and whole, and records plus drops are all that were made', async (t) => {
	const { object, ring } = await loaded(t, ['bpfl_ring_load'])
	await object.program('bpfl_ring_load').attach()
	const into = Buffer.alloc(2048)
	let calls = 0
	let last = -1
	let records = 0
	// A busy machine lets us read little of a round: then another one.
	for (let round = 0; round < 50 && records <= 1000; round++) {
		const worker = new Worker('for (let i = 0; i < 200000; i++) process.ppid', { eval: true })
		calls += 200000
		let running = true
		worker.on('exit', () => {
			running = false
		})
		while (running || ring.available() > 0) {
			const bytes = ring.drain(into)
			for (const number of check(into.subarray(0, bytes))) {
				assert.ok(number > last)
				last = number
			}
			records += ring.lastRecords
			if (!ring.more) await new Promise((resolve) => setImmediate(resolve))
		}
	}
	const counters = new BigUint64Array(object.map('.data').mmap())
	const [sequence, dropped, written] = [...counters.slice(0, 3)].map(Number)
	assert.equal(sequence, calls)
	assert.equal(records, written)
	assert.equal(written + dropped, calls)
	assert.ok(records > 1000, `${records} records`)
	t.diagnostic(`${records} records read, ${dropped} dropped by the kernel`)
})

test('a forced wake-up calls back once until the next drain, silent records never', async (t) => {
	const { ring, produce } = await loaded(t)
	const into = Buffer.alloc(4096)
	let calls = 0
	ring.onWakeup(() => calls++)
	produce(16, 3)
	await settle()
	assert.equal(calls, 0)
	produce(16, 1, { flags: FORCE })
	await until(() => calls === 1)
	produce(16, 1, { flags: FORCE })
	await settle()
	assert.equal(calls, 1)
	ring.drain(into)
	assert.equal(ring.lastRecords, 5)
	await settle()
	assert.equal(calls, 1)
	produce(16, 1)
	await settle()
	assert.equal(calls, 1)
	produce(16, 1, { flags: FORCE })
	await until(() => calls === 2)
	ring.drain(into)
	ring.onWakeup(undefined)
	produce(16, 1, { flags: FORCE })
	await settle()
	assert.equal(calls, 2)
	ring.onWakeup(() => ring.close())
	await until(() => {
		try {
			return ring.available() < 0
		} catch (error) {
			return error.errno === 'EBADF'
		}
	})
	assert.throws(() => ring.onWakeup(7), { errno: 'EBADF' })
})

test('an exception in the wake-up callback is an uncaught exception like any other', () => {
	const script = `
		const { open } = require('./helpers.js')
		process.once('uncaughtException', (error) => process.exit(error.message === 'from the callback' ? 42 : 1))
		const object = open('ring', { only: ['bpfl_produce'] })
		object.load().then(() => {
			object.map('ring').ring().onWakeup(() => { throw new Error('from the callback') })
			const context = new Uint8Array(new BigUint64Array([16n, 1n, 0n, 2n]).buffer)
			object.program('bpfl_produce').testRun({ context })
		})`
	const { status, stderr } = spawnSync(process.execPath, ['-e', script], {
		cwd: __dirname,
		encoding: 'utf8',
		timeout: 10000,
	})
	assert.equal(status, 42, stderr)
})

test('a ring has one reader at a time, and closes twice', async (t) => {
	const { object, ring } = await loaded(t)
	assert.throws(() => object.map('ring').ring(), { errno: 'EBUSY' })
	ring.close()
	ring.close()
	assert.throws(() => ring.drain(Buffer.alloc(8)), { operation: 'ring', errno: 'EBADF' })
	const second = object.map('ring').ring()
	object.close()
	assert.throws(() => second.available(), { errno: 'EBADF' })
	const basic = open('basic', { only: [] })
	basic.setAutocreate('optional', false)
	t.after(() => basic.close())
	assert.throws(() => basic.map('ring').ring(), { errno: 'EINVAL' })
	await basic.load()
	assert.throws(() => basic.map('numbers').ring(), { errno: 'EINVAL' })
})
