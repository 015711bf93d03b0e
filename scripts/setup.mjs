// Makes a checkout ready to run: system packages, npm packages, build. `--test` adds what the tests need.
// Does nothing, quickly, where nothing is missing.
import { ensureCollector } from './collector.mjs'
import { putGoOnPath } from './go-toolchain.mjs'
import { ensureModules } from './lib/modules.mjs'
import { ensurePackages } from './lib/packages.mjs'
import { runScript, ScriptError, say, seconds } from './lib/report.mjs'
import { build } from './lib/steps.mjs'

/** Everything up to a build that can run. */
export async function setup({ test = false } = {}) {
	const start = performance.now()
	checkMachine()
	await ensurePackages({ test })
	await ensureModules()
	await build()
	// The judge of our bytes, and with it Go: minutes from nothing, kept in a cache folder.
	if (test) {
		await ensureCollector()
		await putGoOnPath()
	}
	const took = performance.now() - start
	if (took > 2000) say(`Ready after ${seconds(took)}.`)
}

function checkMachine() {
	const [major, minor] = process.versions.node.split('.').map(Number)
	if (major < 20 || (major === 20 && minor < 19)) {
		throw new ScriptError(`Node.js ${process.versions.node} is too old`, 'install Node.js 20.19 or newer')
	}
	if (process.platform !== 'linux') {
		throw new ScriptError(`eBPF needs Linux, this is ${process.platform}`, 'run it on a Linux machine')
	}
}

if (import.meta.filename === process.argv[1]) {
	await runScript(() => setup({ test: process.argv.includes('--test') }))
}
