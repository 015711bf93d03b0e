// npm run bench: every test/bench/*.bench.ts, each a script that runs when it is loaded; `npm run bench -- NAME …` those whose name holds NAME; `--list` lists them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startChild, stopChild } from './lib/children.mjs'
import { root, runScript, ScriptError, say, seconds } from './lib/report.mjs'
import { setup } from './setup.mjs'

await runScript(async () => {
	const words = process.argv.slice(2)
	const all = readdirSync(join(root, 'test/bench'))
		.filter((name) => name.endsWith('.bench.ts'))
		.sort()
	if (words.includes('--list')) {
		for (const name of all) say(name.slice(0, -'.bench.ts'.length))
		return 0
	}
	const chosen = words.length === 0 ? all : all.filter((name) => words.some((word) => name.includes(word)))
	if (chosen.length === 0)
		throw new ScriptError(`no benchmark is called ${words.join(' or ')}`, 'npm run bench -- --list')
	await setup({ test: true })
	const failed = []
	for (const name of chosen) {
		say(`\n== ${name.slice(0, -'.bench.ts'.length)}`)
		const start = performance.now()
		const child = startChild(process.execPath, ['--expose-gc', '--import', 'tsx', join('test/bench', name)])
		const stop = () => void stopChild(child, 5000)
		for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
		const { code } = await child.ended
		for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop)
		say(`   (${seconds(performance.now() - start)})`)
		if (code !== 0) failed.push(name)
	}
	if (failed.length > 0) throw new ScriptError(`failed: ${failed.join(', ')}`)
	return 0
})
