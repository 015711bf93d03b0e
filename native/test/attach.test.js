'use strict'

const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const { mkdirSync, readFileSync, rmdirSync } = require('node:fs')
const { join } = require('node:path')
const { once } = require('node:events')
const { test } = require('node:test')
const { loader, built, open, u32, u64, getppid } = require('./helpers.js')

const AT = [
	'fentry',
	'fexit',
	'kprobe',
	'kretprobe',
	'uprobe',
	'uretprobe',
	'usdt',
	'sockops',
	'msg',
	'skb',
	'cgroup',
	'tc',
	'cookie',
	'argument',
	'result',
]

async function loaded(t, only, pid) {
	const object = open('probes', { only, pid })
	t.after(() => object.close())
	await object.load()
	const counts = new BigUint64Array(object.map('.bss').mmap())
	return { object, count: (at) => Number(counts[AT.indexOf(at)]) }
}

async function basic(t, only) {
	const object = open('basic', { only: [only] })
	t.after(() => object.close())
	object.setAutocreate('optional', false)
	await object.load()
	const calls = new BigUint64Array(object.map('.bss').mmap())
	return { program: object.program(only), calls: () => Number(calls[0]) }
}

for (const name of ['bpfl_raw_tp', 'bpfl_tp_btf', 'bpfl_tracepoint']) {
	test(`${name} attaches by its section, counts, and stops when its link is closed`, async (t) => {
		const { program, calls } = await basic(t, name)
		const link = await program.attach()
		assert.equal(link.program, name)
		getppid(100)
		const during = calls()
		assert.ok(during >= 100, `${during} calls`)
		assert.equal(link.closed, false)
		link.close()
		link.close()
		assert.equal(link.closed, true)
		const after = calls()
		getppid(100)
		assert.equal(calls(), after)
	})
}

test('a tracepoint attaches by name although tracefs need not be mounted', async (t) => {
	const { program, calls } = await basic(t, 'bpfl_tracepoint')
	const link = await program.attachTracepoint('syscalls', 'sys_enter_getppid')
	getppid(50)
	assert.equal(calls(), 50)
	link.close()
	await assert.rejects(program.attachTracepoint('syscalls', 'no_such'), {
		name: 'BpfError',
		operation: 'attach',
		errno: 'ENOENT',
		subject: 'bpfl_tracepoint',
	})
	await assert.rejects(program.attachTracepoint('../..', 'etc'), { errno: 'EINVAL' })
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
	await program.attachTracepoint('syscalls', 'sys_enter_getppid')
	assert.equal(readFileSync('/proc/self/mountinfo', 'utf8'), mounts)
})

// Where this kernel refuses them, the refusal is what is tested.
for (const [program, kind, target] of [
	['bpfl_fentry', 'fentry', 'bpf_fentry_test1'],
	['bpfl_fexit', 'fentry', 'bpf_fentry_test1'],
	['bpfl_kprobe', 'kprobe', '__x64_sys_getppid'],
	['bpfl_kretprobe', 'kprobe', '__x64_sys_getppid'],
]) {
	test(`${program} attaches where the kernel allows it, and is refused precisely where not`, async (t) => {
		const { supported, errno, message } = await loader.probeFeature({ kind, name: target })
		t.diagnostic(supported ? 'supported' : message)
		const object = open('probes', { only: [program] })
		t.after(() => object.close())
		const attach = async () => {
			await object.load()
			return object.program(program).attach()
		}
		if (!supported) {
			await assert.rejects(attach(), (error) => {
				assert.ok(error instanceof loader.BpfError)
				assert.ok(error.operation === 'attach' || error.operation === 'load')
				assert.equal(error.subject, program)
				assert.equal(error.errno, errno)
				return true
			})
			return
		}
		await attach()
		if (kind !== 'kprobe') return
		getppid(10)
		const counts = new BigUint64Array(object.map('.bss').mmap())
		assert.equal(Number(counts[AT.indexOf(program.slice(5))]), 10)
	})
}

/** A running target; call(n) has it call its probed function n times. */
async function target(t) {
	const child = spawn(built('target'), { stdio: ['pipe', 'pipe', 'inherit'] })
	t.after(() => child.kill('SIGKILL'))
	await once(child, 'spawn')
	const call = async (n) => {
		child.stdin.write(`${n}\n`)
		await once(child.stdout, 'data')
	}
	return { pid: child.pid, call }
}

test('a uprobe sees every call with argument and cookie, a uretprobe every result', async (t) => {
	const { pid, call } = await target(t)
	const { object, count } = await loaded(t, ['bpfl_uprobe', 'bpfl_uretprobe'], pid)
	const path = built('target')
	const link = await object
		.program('bpfl_uprobe')
		.attachUprobe({ path, symbol: 'bpfl_target', cookie: 4711n })
	await object.program('bpfl_uretprobe').attachUprobe({ path, symbol: 'bpfl_target', pid, retprobe: true })
	await call(25)
	assert.equal(count('uprobe'), 25)
	assert.equal(count('argument'), 25)
	assert.equal(count('cookie'), 4711)
	assert.equal(count('uretprobe'), 25)
	assert.equal(count('result'), 50)
	link.close()
	await call(5)
	assert.equal(count('uprobe'), 25)
	assert.equal(count('uretprobe'), 30)
})

test('a uprobe on a file offset hits the same function as its symbol', async (t) => {
	const { pid, call } = await target(t)
	const { object, count } = await loaded(t, ['bpfl_uprobe'], pid)
	const path = built('target')
	const symbols = spawnSync('nm', ['-D', path], { encoding: 'utf8' }).stdout
	const address = Number.parseInt(/^([0-9a-f]+) T bpfl_target$/m.exec(symbols)[1], 16)
	// The test program is linked so that its text has the same offset in the file as in memory.
	await object.program('bpfl_uprobe').attachUprobe({ path, offset: address })
	await call(7)
	assert.equal(count('uprobe'), 7)
})

test('a uprobe on what is not there says what is missing', async (t) => {
	const { object } = await loaded(t, ['bpfl_uprobe'])
	const refused = (options, errno, message) =>
		assert.rejects(object.program('bpfl_uprobe').attachUprobe(options), {
			operation: 'attach',
			errno,
			subject: 'bpfl_uprobe',
			message,
		})
	await refused({ path: '/nonexistent', offset: 0 }, 'ENOENT', /nonexistent/)
	await refused({ path: built('target'), symbol: 'nothing_here' }, 'ENOENT', /has no function nothing_here/)
	await refused({ path: __filename, symbol: 'main' }, 'ENOEXEC', /no 64-bit ELF/)
	await refused({ path: built('target'), offset: 1e9 }, 'EINVAL', /behind the end/)
	await assert.rejects(
		object.program('bpfl_uprobe').attachUprobe({ path: built('target'), offset: -1 }),
		TypeError,
	)
})

test('a USDT probe sees every call with its argument and cookie', async (t) => {
	const { pid, call } = await target(t)
	const { object, count } = await loaded(t, ['bpfl_usdt'], pid)
	const program = object.program('bpfl_usdt')
	const link = await program.attachUsdt({
		path: built('target'),
		pid,
		provider: 'bpfl',
		name: 'call',
		cookie: 99n,
	})
	await call(12)
	assert.equal(count('usdt'), 12)
	assert.equal(count('argument'), 12)
	assert.equal(count('cookie'), 99)
	link.close()
	await call(3)
	assert.equal(count('usdt'), 12)
	await assert.rejects(program.attachUsdt({ path: built('target'), provider: 'bpfl', name: 'other' }), {
		errno: 'ENOENT',
		subject: 'bpfl_usdt',
	})
})

test('iterators walk tasks and the elements of a map', async (t) => {
	const { object } = await loaded(t, ['bpfl_iter_task', 'bpfl_iter_map'])
	const tasks = Buffer.from(await object.program('bpfl_iter_task').runIterator())
	const own = []
	for (let at = 0; at < tasks.length; at += 8) {
		if (tasks.readUInt32LE(at) === process.pid) own.push(tasks.readUInt32LE(at + 4))
	}
	assert.ok(own.includes(process.pid) && own.length > 1, 'own threads')
	const map = object.map('walked')
	for (const n of [1, 2, 3]) map.set(u32(n), u64(n * 10))
	const values = Buffer.from(await object.program('bpfl_iter_map').runIterator({ map }))
	assert.deepEqual([0, 8, 16].map((at) => Number(values.readBigUInt64LE(at))).sort(), [10, 20, 30])
	await assert.rejects(object.program('bpfl_iter_map').runIterator(), {
		operation: 'iterate',
		errno: 'EBADF',
	})
})

test('sock_ops and cgroup_skb attach to a cgroup and see its sockets only', async (t) => {
	const mount = /^cgroup2 (\S+) /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1]
	if (mount === undefined) return t.skip('no cgroup v2 mount')
	const path = join(mount, `bpfl-test-${process.pid}`)
	mkdirSync(path)
	t.after(() => rmdirSync(path))
	const { object, count } = await loaded(t, ['bpfl_sockops', 'bpfl_cgroup'])
	await object.program('bpfl_sockops').attachCgroup(path)
	const link = await object.program('bpfl_cgroup').attachCgroup(path)
	const talk = () => {
		const script = `
			require('node:fs').writeFileSync('${path}/cgroup.procs', String(process.pid))
			const server = require('node:net').createServer((s) => s.end('x')).listen(0, '127.0.0.1', () => {
				require('node:net').connect(server.address().port, '127.0.0.1').on('data', () => process.exit(0))
			})`
		assert.equal(spawnSync(process.execPath, ['-e', script], { timeout: 10000 }).status, 0)
	}
	talk()
	assert.ok(count('sockops') > 0)
	const packets = count('cgroup')
	assert.ok(packets > 0)
	link.close()
	talk()
	assert.equal(count('cgroup'), packets)
	await assert.rejects(object.program('bpfl_sockops').attachCgroup('/nonexistent'), {
		errno: 'ENOENT',
		subject: 'bpfl_sockops',
	})
	await assert.rejects(object.program('bpfl_sockops').attachCgroup(__dirname), {
		name: 'BpfError',
		operation: 'attach',
	})
})

test('sk_msg and sk_skb attach to a sockhash', async (t) => {
	const { object } = await loaded(t, ['bpfl_sk_msg', 'bpfl_sk_skb'])
	const socks = object.map('socks')
	for (const name of ['bpfl_sk_msg', 'bpfl_sk_skb']) {
		const link = await object.program(name).attachMap(socks)
		link.close()
		link.close()
		// Free again: the second attachment is not refused.
		await object.program(name).attachMap(socks)
	}
	await assert.rejects(object.program('bpfl_sk_msg').attachMap(object.map('walked')), {
		operation: 'attach',
		subject: 'bpfl_sk_msg',
	})
	await assert.rejects(object.program('bpfl_sk_msg').attachMap({}), TypeError)
})

test('a program without a place in its section says so', async (t) => {
	const { object } = await loaded(t, ['bpfl_uprobe', 'bpfl_sk_msg'])
	await assert.rejects(object.program('bpfl_sk_msg').attach(), {
		errno: 'EOPNOTSUPP',
		subject: 'bpfl_sk_msg',
		message: /sk_msg/,
	})
	const other = open('probes', { only: [] })
	t.after(() => other.close())
	await assert.rejects(other.program('bpfl_uprobe').attach(), { errno: 'EINVAL', message: /not loaded/ })
	assert.throws(() => other.program('nothing'), { errno: 'ENOENT', subject: 'nothing' })
})

test('tc sees packets by tcx and by clsact, and leaves nothing at exit', () => {
	// In a network namespace of its own: nobody else's packets, nothing left behind.
	const script = join(__dirname, 'tc-child.js')
	const run = (mode) =>
		spawnSync(
			'unshare',
			[
				'-n',
				'sh',
				'-c',
				`ip link set lo up && ${process.execPath} ${script} ${mode} && ${process.execPath} ${script} left`,
			],
			{
				encoding: 'utf8',
				timeout: 20000,
			},
		)
	for (const mode of ['tcx', 'clsact', 'exit']) {
		const { status, stderr, stdout } = run(mode)
		assert.equal(status, 0, `${mode}: ${stdout}${stderr}`)
	}
})

test('features are probed by doing', async () => {
	const yes = async (feature) =>
		assert.deepEqual(await loader.probeFeature(feature), { supported: true, errno: '', message: '' })
	const no = async (feature, errno) => {
		const answer = await loader.probeFeature(feature)
		assert.equal(answer.supported, false)
		assert.equal(answer.errno, errno)
		assert.notEqual(answer.message, '')
	}
	await yes({ kind: 'program', type: 'raw_tracepoint' })
	await yes({ kind: 'map', type: 'ringbuf' })
	await yes({ kind: 'helper', type: 'socket_filter', helper: 1 })
	// bpf_sk_storage_get: in tp_btf programs, not in tracepoint programs.
	await yes({ kind: 'helper', type: 'tracing', helper: 107 })
	await no({ kind: 'helper', type: 'tracepoint', helper: 107 }, 'EOPNOTSUPP')
	await no({ kind: 'helper', type: 'socket_filter', helper: 99999 }, 'EOPNOTSUPP')
	await yes({ kind: 'tp_btf', name: 'sched_switch' })
	await no({ kind: 'tp_btf', name: 'no_such_tracepoint' }, 'ENOENT')
	await no({ kind: 'fentry', name: 'no_such_function' }, 'ENOENT')
	await yes({ kind: 'tracepoint', category: 'sched', name: 'sched_switch' })
	await no({ kind: 'tracepoint', category: 'sched', name: 'no_such' }, 'ENOENT')
	await no(
		{ kind: 'kprobe', name: 'no_such_function' },
		(await loader.probeFeature({ kind: 'kprobe', name: 'no_such_function' })).errno,
	)
	await assert.rejects(loader.probeFeature({ kind: 'map', type: 'nonsense' }), {
		operation: 'probe',
		errno: 'EINVAL',
	})
	await assert.rejects(loader.probeFeature({ kind: 'nonsense' }), { errno: 'EINVAL' })
	assert.ok(!loader.listPrograms().some((program) => program.name === 'bpfl_probe'))
})
