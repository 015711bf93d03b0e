'use strict'

// The first example of the README runs as it stands there.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const {
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
	mkdirSync,
	symlinkSync,
	copyFileSync,
} = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { test } = require('node:test')
const { built } = require('./helpers.js')

test('the example of the README runs as it is written', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'bpfl-readme-'))
	t.after(() => rmSync(folder, { recursive: true }))
	const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8')
	const example = /```js\n(import[\s\S]*?)```/.exec(readme)[1]
	mkdirSync(join(folder, 'node_modules'))
	symlinkSync(join(__dirname, '..'), join(folder, 'node_modules', 'bpf-native-loader'))
	copyFileSync(built('count.bpf.o'), join(folder, 'count.bpf.o'))
	writeFileSync(join(folder, 'example.mjs'), example)
	const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
		cwd: folder,
		encoding: 'utf8',
		timeout: 10000,
	})
	assert.equal(status, 0, stderr)
	assert.match(stdout, /^\d+n$/m)
})
