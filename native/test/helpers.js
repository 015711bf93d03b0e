'use strict'

const { join } = require('node:path')
const loader = require('../lib/index.js')

const built = (name) => join(__dirname, '..', 'build', 'test', name)

/** Opens a test object that looks at `pid` only. `only`: the programs to load, all if absent. */
function open(name, { pid = process.pid, only } = {}) {
	const object = loader.openObject(built(`${name}.bpf.o`))
	object.setGlobal('own_pid', pid)
	if (only !== undefined) {
		for (const program of object.programs) object.setAutoload(program.name, only.includes(program.name))
	}
	return object
}

const u32 = (value) => {
	const bytes = Buffer.alloc(4)
	bytes.writeUInt32LE(value)
	return bytes
}

const u64 = (value) => {
	const bytes = Buffer.alloc(8)
	bytes.writeBigUInt64LE(BigInt(value))
	return bytes
}

/** getppid(2), n times. */
function getppid(n) {
	for (let i = 0; i < n; i++) process.ppid
}

const until = async (what, timeoutMs = 5000) => {
	const end = Date.now() + timeoutMs
	while (!what()) {
		if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
		await new Promise((resolve) => setTimeout(resolve, 5))
	}
}

module.exports = { loader, built, open, u32, u64, getppid, until }
