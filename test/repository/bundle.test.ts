import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../dist/bundle/', import.meta.url))

it('the bundle has its compiled code beside it, which the V8 that made it takes and another refuses', () => {
	const [bundle, ...others] = readdirSync(folder).filter((name) => name.endsWith('.cjs'))
	expect(others).toEqual([])
	// In a process of its own: V8 takes no code that was compiled under other flags than it runs with.
	const look = `
		const { readFileSync } = require('node:fs')
		const { Script } = require('node:vm')
		const source = readFileSync(${JSON.stringify(folder + bundle)}, 'latin1')
		const cachedData = readFileSync(${JSON.stringify((folder + bundle).replace(/\.cjs$/, '.cache'))})
		const { cachedDataRejected } = new Script(source, { cachedData })
		const mine = new Script('0').createCachedData()
		// The second word is V8's version.
		console.log(JSON.stringify({ cachedDataRejected, same: mine.readUInt32LE(4) === cachedData.readUInt32LE(4) }))`
	const { cachedDataRejected, same } = JSON.parse(
		execFileSync(process.execPath, ['-e', look], { encoding: 'utf8', env: {} }),
	)
	expect(cachedDataRejected).toBe(!same)
})
