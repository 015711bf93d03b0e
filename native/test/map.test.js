'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { open, u32, u64 } = require('./helpers.js')

async function loaded(t) {
	const object = open('basic', { only: [] })
	object.setAutocreate('optional', false)
	t.after(() => object.close())
	await object.load()
	return object
}

test('values can be set, got, deleted, with the flags of the kernel', async (t) => {
	const map = (await loaded(t)).map('numbers')
	assert.equal(map.get(u32(1)), undefined)
	map.set(u32(1), u64(11))
	assert.deepEqual(Buffer.from(map.get(u32(1))), u64(11))
	assert.throws(() => map.set(u32(1), u64(12), 'noexist'), {
		operation: 'map_update',
		errno: 'EEXIST',
		subject: 'numbers',
	})
	assert.throws(() => map.set(u32(2), u64(12), 'exist'), { errno: 'ENOENT' })
	assert.throws(() => map.set(u32(2), u64(12), 'never'), TypeError)
	assert.equal(map.delete(u32(1)), true)
	assert.equal(map.delete(u32(1)), false)
	assert.throws(() => map.get(Buffer.alloc(3)), { errno: 'EINVAL', message: /4 bytes, 3 were given/ })
	assert.throws(() => map.set(u32(1), Buffer.alloc(9)), { errno: 'EINVAL' })
	assert.throws(() => map.get('1'), TypeError)
})

test('entries lists every entry of a full hash, and take removes exactly what it returns', async (t) => {
	const map = (await loaded(t)).map('numbers')
	assert.deepEqual({ ...map.entries() }.count, 0)
	for (let i = 0; i < 5000; i++) map.set(u32(i), u64(i * 3))
	assert.throws(() => map.set(u32(9999), u64(0)), { errno: 'E2BIG' })
	const seen = new Set()
	const add = ({ count, keys, values }) => {
		const k = Buffer.from(keys)
		const v = Buffer.from(values)
		assert.equal(k.length, count * 4)
		assert.equal(v.length, count * 8)
		for (let i = 0; i < count; i++) {
			assert.equal(v.readBigUInt64LE(i * 8), BigInt(k.readUInt32LE(i * 4) * 3))
			assert.ok(!seen.has(k.readUInt32LE(i * 4)))
			seen.add(k.readUInt32LE(i * 4))
		}
	}
	add(map.entries())
	assert.equal(seen.size, 5000)
	assert.equal(map.keys().length, 5000)
	seen.clear()
	for (const limit of [1, 3, 100]) {
		const some = map.entries({ take: true, limit })
		assert.equal(some.count, limit)
		add(some)
	}
	assert.equal(map.entries().count, 5000 - 104)
	add(map.entries({ take: true }))
	assert.equal(seen.size, 5000)
	assert.equal(map.entries().count, 0)
})

test('per-CPU values come and go for every CPU', async (t) => {
	const map = (await loaded(t)).map('percpu')
	assert.ok(map.cpus >= 1)
	assert.equal(map.valueSize, 4)
	const value = Buffer.alloc(8 * map.cpus)
	for (let cpu = 0; cpu < map.cpus; cpu++) value.writeUInt32LE(100 + cpu, cpu * 8)
	map.set(u32(5), value)
	assert.deepEqual(Buffer.from(map.get(u32(5))), value)
	const { count, values } = map.entries({ take: true })
	assert.equal(count, 1)
	assert.deepEqual(Buffer.from(values), value)
	assert.equal(map.get(u32(5)), undefined)
})

test('an array map and its memory mapping show the same values', async (t) => {
	const object = await loaded(t)
	const map = object.map('array')
	const memory = map.mmap()
	assert.equal(map.mmap(), memory)
	map.set(u32(2), u64(77))
	const view = new BigUint64Array(memory)
	assert.equal(view[2], 77n)
	view[3] = 99n
	assert.deepEqual(Buffer.from(map.get(u32(3))), u64(99))
	assert.equal(map.entries().count, 4)
	assert.throws(() => map.get(u32(4)) ?? map.set(u32(4), u64(0)), { errno: 'E2BIG' })
	assert.throws(() => object.map('.rodata').mmap(), { errno: 'EPERM' })
	assert.throws(() => object.map('numbers').mmap(), { errno: 'EINVAL' })
	map.close()
	map.close()
	assert.equal(memory.byteLength, 0)
	const again = map.mmap()
	assert.equal(new BigUint64Array(again)[3], 99n)
	object.close()
	assert.equal(again.byteLength, 0)
	assert.throws(() => map.get(u32(1)), { errno: 'EBADF' })
})
