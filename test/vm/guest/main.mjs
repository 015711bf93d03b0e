// The runner inside a guest: JSON lines on standard output, one a finding, each prefixed so that nothing else is taken for one.
//   node main.mjs REQUEST.json
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { preflight } from '../../../dist/capture/preflight.js'
import { runBench } from './bench.mjs'
import { describe, load } from './load.mjs'
import { runMix } from './mix.mjs'
import { runWaiting } from './waiting.mjs'

const request = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const started = performance.now()

function tell(kind, fields) {
	const seconds = Math.round((performance.now() - started) / 100) / 10
	process.stdout.write(`@vor ${JSON.stringify({ kind, seconds, ...fields })}\n`)
}

tell('boot', { release: release(), node: process.version })
if (request.bench !== undefined) await runBench(request.bench, tell)
if (request.check !== false) {
	try {
		const { ok, surface, storage, items } = await preflight()
		tell('check', { ok, surface, storage, items })
	} catch (reason) {
		tell('check', { ok: false, error: describe(reason) })
	}
}
for (const cell of request.surfaces) {
	const label = { surface: cell.surface, storage: cell.storage }
	try {
		const outcome = await load(cell)
		tell('load', { ...label, ...outcome })
		if (outcome.loaded === undefined) continue
		for (let round = 0; round < (request.repeat ?? 1); round++) {
			const mix = await runMix({ ...request, ...cell })
			if (cell.surface === 'kprobe') mix.problems.push(...(await runWaiting({ ...request, ...cell })))
			tell('mix', { ...label, ...mix })
		}
	} catch (reason) {
		const known = describe(reason)
		// Loaded, yet not attached: the cell is empty, with the kernel's own words.
		const attach = known.errno !== '' || known.code.startsWith('E_')
		tell(attach ? 'refused' : 'broken', { ...label, refused: known, stack: reason?.stack })
	}
}
tell('end', {})
// The scanner's worker and idle sockets do not matter any more.
process.exit(0)
