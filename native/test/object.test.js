'use strict'

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const { test } = require('node:test')
const { loader, built, open, getppid, until } = require('./helpers.js')

test('an object opens from a path and from bytes and lists what it holds', (t) => {
	for (const source of [built('basic.bpf.o'), readFileSync(built('basic.bpf.o'))]) {
		const object = loader.openObject(source, { name: 'listed' })
		t.after(() => object.close())
		assert.equal(object.name, 'listed')
		assert.equal(object.state, 'open')
		assert.deepEqual(object.programs[0], {
			name: 'bpfl_raw_tp',
			section: 'raw_tp/sys_enter',
			type: 'raw_tracepoint',
			autoload: true,
		})
		assert.deepEqual(object.maps[0], {
			name: 'numbers',
			type: 'hash',
			keySize: 4,
			valueSize: 8,
			maxEntries: 5000,
		})
	}
})

test('a file that is missing, empty or no object gives a BpfError that names it', () => {
	const refused = (source, check) =>
		assert.throws(
			() => loader.openObject(source),
			(error) => {
				assert.ok(error instanceof loader.BpfError)
				assert.equal(error.operation, 'open')
				check(error)
				return true
			},
		)
	refused('/nonexistent.bpf.o', (error) => {
		assert.equal(error.errno, 'ENOENT')
		assert.equal(error.code, 'ENOENT')
		assert.equal(error.errnoNumber, 2)
		assert.equal(error.subject, '/nonexistent.bpf.o')
	})
	refused(__filename, (error) => assert.notEqual(error.message, ''))
	refused(Buffer.alloc(0), (error) => assert.equal(error.errno, 'EINVAL'))
	refused(Buffer.from('\x7fELF and then nothing of use'), (error) => assert.notEqual(error.errno, ''))
	const half = readFileSync(built('basic.bpf.o')).subarray(0, 2000)
	refused(half, (error) => assert.notEqual(error.errno, ''))
	assert.throws(() => loader.openObject(7), TypeError)
	assert.throws(() => loader.openObject('a\0b'), TypeError)
})

test('globals of every integer kind reach the loaded program', async (t) => {
	const object = open('basic', { only: ['bpfl_raw_tp'] })
	t.after(() => object.close())
	object.setAutocreate('optional', false)
	object.setGlobal('small', 200)
	object.setGlobal('signed_number', -77)
	object.setGlobal('flag', true)
	object.setGlobal('big', 2n ** 63n + 1n)
	object.setGlobal('text', Buffer.from('xyz\0\0\0\0\0'))
	await object.load()
	assert.equal(object.state, 'loaded')
	await object.program('bpfl_raw_tp').attach()
	getppid(10)
	const seen = Buffer.from(object.map('.bss').mmap())
	assert.ok(seen.readBigUInt64LE(0) >= 10n)
	assert.equal(seen.readBigUInt64LE(8), 200n)
	assert.equal(seen.readBigInt64LE(16), -77n)
	assert.equal(seen.readBigUInt64LE(24), 1n)
	assert.equal(seen.readBigUInt64LE(32), 2n ** 63n + 1n)
	assert.equal(seen.toString('latin1', 40, 43), 'xyz')
})

test('a global that does not exist, or a value that does not fit, is refused', (t) => {
	const object = open('basic')
	t.after(() => object.close())
	const refused = (name, value, errno) =>
		assert.throws(() => object.setGlobal(name, value), {
			name: 'BpfError',
			operation: 'set_global',
			errno,
			subject: name,
		})
	refused('nowhere', 1, 'ENOENT')
	refused('small', 256, 'ERANGE')
	refused('small', -1, 'ERANGE')
	refused('signed_number', 2 ** 31, 'ERANGE')
	refused('big', -1, 'ERANGE')
	refused('big', 2n ** 64n, 'ERANGE')
	refused('text', 1, 'EINVAL')
	refused('text', Buffer.alloc(7), 'EINVAL')
	assert.throws(() => object.setGlobal('small', 1.5), TypeError)
	assert.throws(() => object.setGlobal('small', '1'), TypeError)
	assert.throws(() => object.setAutoload('nothing', false), { errno: 'ENOENT' })
	assert.throws(() => object.setMaxEntries('nothing', 1), { errno: 'ENOENT' })
})

test('a map of unknown type fails the load, and autocreate off lets it pass', async () => {
	const broken = open('basic')
	await assert.rejects(broken.load(), {
		name: 'BpfError',
		operation: 'load',
		errno: 'EINVAL',
		subject: 'optional',
	})
	await assert.rejects(broken.load(), { errno: 'EINVAL', message: /loaded already/ })
	broken.close()
	const object = open('basic')
	object.setAutocreate('optional', false)
	object.setMaxEntries('numbers', 17)
	await object.load()
	assert.equal(object.map('numbers').maxEntries, 17)
	assert.throws(() => object.map('optional').fd, { errno: 'EBADF' })
	assert.throws(() => object.setGlobal('small', 1), { errno: 'EINVAL' })
	object.close()
})

test('a verifier refusal tells the program and the line, with the whole log beside', async (t) => {
	const object = open('refused')
	t.after(() => object.close())
	await assert.rejects(object.load(), (error) => {
		assert.ok(error instanceof loader.BpfError)
		assert.equal(error.operation, 'load')
		assert.equal(error.subject, 'bpfl_bad')
		assert.match(error.errno, /^E(ACCES|INVAL)$/)
		assert.match(error.message, /invalid mem access/)
		assert.match(error.message, /wild == 42/)
		assert.match(error.message, /\(\d+ lines omitted\)/)
		assert.ok(error.message.split('\n').length === 1)
		assert.match(error.log, /processed \d+ insns/)
		assert.doesNotMatch(error.log, /END PROG LOAD LOG/)
		return true
	})
	assert.ok(!loader.listPrograms().some((program) => program.name === 'bpfl_bad'))
})

test('autoload off keeps a refused program from failing the others', async () => {
	const object = open('refused')
	object.setAutoload('bpfl_bad', false)
	await object.load()
	assert.equal(object.programs.find((program) => program.name === 'bpfl_bad').autoload, false)
	assert.ok(object.program('bpfl_good').id > 0)
	await assert.rejects(object.program('bpfl_bad').attach(), { errno: 'EINVAL', message: /not loaded/ })
	object.close()
})

test('the BTF layout gives offsets, sizes and types as the compiler laid them out', (t) => {
	const object = open('basic')
	t.after(() => object.close())
	const { structs, enums } = object.btf()
	const record = structs.find((each) => each.name === 'bpfl_record')
	assert.equal(record.size, 80)
	const at = Object.fromEntries(record.members.map(({ name, ...rest }) => [name, rest]))
	assert.deepEqual(at.sequence, { offset: 0, size: 8, type: 'u64' })
	assert.deepEqual(at.as_bytes, { offset: 12, size: 4, type: 'u8[4]' })
	assert.deepEqual(at.inner, { offset: 16, size: 18, type: 'struct bpfl_inner' })
	assert.deepEqual(at.name, { offset: 40, size: 16, type: 'char[16]' })
	assert.deepEqual(at.color, { offset: 56, size: 4, type: 'enum bpfl_color' })
	assert.deepEqual(at.grid, { offset: 60, size: 12, type: 'u16[2][3]' })
	assert.equal(at.low.bitSize, 3)
	assert.equal(at.high.bitSize, 29)
	assert.deepEqual(enums.find((each) => each.name === 'bpfl_color').values, [
		{ name: 'BPFL_RED', value: 1 },
		{ name: 'BPFL_GREEN', value: 7 },
	])
})

test('closing is safe twice, at once, and during a load or an attach', async () => {
	const idle = open('basic')
	idle.close()
	idle.close()
	assert.equal(idle.state, 'closed')
	assert.throws(() => idle.programs, { errno: 'EBADF' })
	await assert.rejects(idle.load(), { errno: 'EBADF' })

	const loading = open('basic')
	loading.setAutocreate('optional', false)
	const load = loading.load()
	assert.throws(() => loading.setGlobal('small', 1), { errno: 'EBUSY' })
	await assert.rejects(loading.load(), { errno: 'EBUSY' })
	loading.close()
	await assert.rejects(load, { errno: 'ECANCELED' })

	const attaching = open('basic')
	attaching.setAutocreate('optional', false)
	await attaching.load()
	const id = attaching.program('bpfl_tp_btf').id
	const attach = attaching.program('bpfl_tp_btf').attach()
	attaching.close()
	await assert.rejects(attach, { errno: 'ECANCELED' })
	await until(() => !loader.listPrograms().some((program) => program.id === id))

	const later = open('basic')
	later.setAutocreate('optional', false)
	await later.load()
	const link = await later.program('bpfl_tracepoint').attach()
	const closing = later.closeAsync()
	assert.equal(later.state, 'closed')
	await Promise.all([closing, link.closeAsync(), later.closeAsync()])
	link.close()
	assert.equal(link.closed, true)
})

test('statistics count runs only while they are on', async (t) => {
	const object = open('basic', { only: ['bpfl_raw_tp'] })
	t.after(() => object.close())
	object.setAutocreate('optional', false)
	await object.load()
	const program = object.program('bpfl_raw_tp')
	await program.attach()
	const stats = loader.enableStats()
	getppid(100)
	stats.close()
	stats.close()
	const { runCount, runTimeNs, recursionMisses, verifiedInstructions, memlockBytes } = program.stats()
	assert.ok(runCount >= 100)
	assert.ok(runTimeNs > 0)
	assert.equal(recursionMisses, 0)
	assert.ok(verifiedInstructions > 10)
	assert.ok(memlockBytes >= 4096)
	assert.ok(loader.listPrograms().some(({ id, name }) => id === program.id && name === 'bpfl_raw_tp'))
})
