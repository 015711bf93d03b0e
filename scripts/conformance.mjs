// npm run conformance [-- KIND …]: runs every module of test/conformance that exports run(), prints what agrees with
// Alloy per kind and every difference; exit code 1 when there is one.
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { register } from 'tsx/esm/api'

const folder = new URL('../test/conformance/', import.meta.url)
const only = process.argv.slice(2)
if (!existsSync(new URL('../../shared/alloy/', import.meta.url)))
	console.warn('../shared/alloy is absent: only the fixtures kept in this repository are compared')

register()
const names = (await readdir(folder))
	.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
	.sort()
let agreed = 0
let total = 0
let failed = false
for (const name of names) {
	const module = await import(new URL(name, folder).href)
	if (typeof module.run !== 'function') continue
	const stem = name.replace(/\.ts$/, '')
	if (only.length > 0 && !only.includes(stem)) continue
	let result
	try {
		result = await module.run()
	} catch (reason) {
		if (reason?.code === 'ENOENT' && String(reason.path).includes('/shared/')) {
			console.log(`${stem.padEnd(24)} skipped: ${reason.path} is absent`)
			continue
		}
		throw reason
	}
	agreed += result.agreed
	total += result.total
	const notYet = result.notYet > 0 ? `, ${result.notYet} not yet` : ''
	console.log(`${result.kind.padEnd(24)} ${result.agreed}/${result.total} agree${notYet}`)
	for (const difference of result.differences) console.log(`  ${difference.replaceAll('\n', '\n  ')}`)
	if (result.agreed < result.total) failed = true
}
console.log(`${'all'.padEnd(24)} ${agreed}/${total} agree`)
process.exitCode = failed ? 1 : 0
