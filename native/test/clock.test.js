'use strict'

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const { test } = require('node:test')
const { loader } = require('./helpers.js')

test('the boot clock is the uptime of the machine and goes forward', () => {
	const first = loader.bootClock()
	const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
	const second = loader.bootClock()
	assert.ok(Math.abs(first.bootNs / 1e9 - uptime) < 5)
	assert.ok(second.bootNs >= first.bootNs)
})
