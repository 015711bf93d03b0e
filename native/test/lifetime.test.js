'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { loader, until } = require('./helpers.js')

const script = `
	const { open } = require('./helpers.js')
	module.exports = (async () => {
		const object = open('basic')
		object.setAutocreate('optional', false)
		await object.load()
		for (const name of ['bpfl_raw_tp', 'bpfl_tp_btf', 'bpfl_tracepoint']) await object.program(name).attach()
		const ring = object.map('ring').ring()
		ring.onWakeup(() => {})
		const memory = object.map('array').mmap()
		return ['bpfl_raw_tp', 'bpfl_tp_btf', 'bpfl_tracepoint'].map((name) => object.program(name).id)
	})()`

const gone = (ids) => until(() => !loader.listPrograms().some(({ id }) => ids.includes(id)))
const there = (ids) => assert.equal(loader.listPrograms().filter(({ id }) => ids.includes(id)).length, 3)

/** A process that has attached three programs, and their ids. */
async function attached(end) {
	const child = spawn(
		process.execPath,
		['-e', `${script};module.exports.then((ids) => { console.log(JSON.stringify(ids)); ${end} })`],
		{
			cwd: __dirname,
			stdio: ['pipe', 'pipe', 'inherit'],
		},
	)
	const [line] = await once(child.stdout, 'data')
	return { child, ids: JSON.parse(line) }
}

test('nothing stays attached when the process is killed', async () => {
	const { child, ids } = await attached('setInterval(() => {}, 1000)')
	there(ids)
	child.kill('SIGKILL')
	await once(child, 'exit')
	await gone(ids)
})

test('nothing stays attached when the process exits with everything open', async () => {
	for (const end of ['process.exit(0)', 'process.stdin.on("end", () => process.exit(0)).resume()']) {
		const { child, ids } = await attached(end)
		child.stdin.end()
		const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
		assert.equal(code, 0)
		await gone(ids)
	}
})

test('a process exits cleanly while a load is running', async () => {
	const child = spawn(
		process.execPath,
		[
			'-e',
			"const o = require('./helpers.js').open('basic'); o.setAutocreate('optional', false); o.load(); setImmediate(() => process.exit(0))",
		],
		{ cwd: __dirname, stdio: 'inherit' },
	)
	const [code, signal] = await once(child, 'exit')
	assert.deepEqual([code, signal], [0, null])
})

test('worker threads load the addon, work at the same time, and take their programs with them', async () => {
	const start = async () => {
		const worker = new Worker(
			`process.chdir = undefined; const require2 = require('node:module').createRequire(${JSON.stringify(__filename)});
			 const run = new Function('require', 'module', ${JSON.stringify(script)}); const m = {}; run(require2, m);
			 m.exports.then((ids) => require('node:worker_threads').parentPort.postMessage(ids)); setInterval(() => {}, 1000)`,
			{ eval: true },
		)
		const [ids] = await once(worker, 'message')
		return { worker, ids }
	}
	const both = await Promise.all([start(), start()])
	for (const { ids } of both) there(ids)
	await both[0].worker.terminate()
	await gone(both[0].ids)
	there(both[1].ids)
	await both[1].worker.terminate()
	await gone(both[1].ids)
	assert.match(loader.libbpfVersion(), /^v\d/)
})

test('the package has named exports for ESM', async () => {
	const module = await import('../lib/index.js')
	for (const name of [
		'openObject',
		'probeFeature',
		'enableStats',
		'listPrograms',
		'libbpfVersion',
		'BpfError',
	]) {
		assert.equal(typeof module[name], 'function', name)
	}
})
