'use strict'

// Runs in a network namespace of its own. `left`: fails if a filter of an earlier run still holds its program here.

const assert = require('node:assert/strict')
const { createSocket } = require('node:dgram')
const { spawnSync } = require('node:child_process')
const { open, until } = require('./helpers.js')

const LOOPBACK = 1
const mode = process.argv[2]

async function main() {
	if (mode === 'left') {
		const shown = ['ingress', 'egress'].map(
			(way) => spawnSync('tc', ['filter', 'show', 'dev', 'lo', way], { encoding: 'utf8' }).stdout,
		)
		assert.doesNotMatch(shown.join(''), /bpfl/)
		return
	}
	const object = open('probes', { only: ['bpfl_tc'] })
	await object.load()
	const place = {
		ifindex: LOOPBACK,
		direction: 'egress',
		...(mode === 'tcx' ? {} : { priority: 7, handle: 3 }),
	}
	const link = await object.program('bpfl_tc').attachTc(place)
	const counts = new BigUint64Array(object.map('.bss').mmap())
	const socket = createSocket('udp4')
	const send = () => new Promise((resolve) => socket.send('x', 9, '127.0.0.1', resolve))
	for (let i = 0; i < 10; i++) await send()
	await until(() => counts[11] >= 10n)
	// At exit the filter goes although nobody closed it.
	if (mode === 'exit') process.exit(0)
	link.close()
	link.close()
	const before = counts[11]
	for (let i = 0; i < 10; i++) await send()
	assert.equal(counts[11], before)
	await assert.rejects(object.program('bpfl_tc').attachTc({ ifindex: 9999, direction: 'ingress' }), {
		name: 'BpfError',
		operation: 'attach',
	})
	object.close()
	socket.close()
}

main().catch((error) => {
	console.error(error)
	process.exit(1)
})
