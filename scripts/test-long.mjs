// npm run test:long: all tests with many more fuzz runs and the long ones, the addon's C under sanitizers, and everything
// again on the newest LTS of Node.js. `--only=tests|soak|sanitize|lts` runs one part (soak is one of the tests; it lasts
// VOR_SOAK_SECONDS, 180 by default).
import { dirname } from 'node:path'
import { newestLts } from './lib/newest-lts.mjs'
import { run, runScript, say } from './lib/report.mjs'
import { runNativeTests, runVitest, summarise } from './lib/run-tests.mjs'
import { setup } from './setup.mjs'

await runScript(async () => {
	const only = process.argv.find((word) => word.startsWith('--only='))?.slice('--only='.length)
	const wants = (part) => only === undefined || only === part
	await setup({ test: true })
	// test/setup.ts reads it: runs per property, where a test does not say (fast-check's default is 100).
	process.env.VOR_FUZZ_RUNS ??= '5000'
	const tests = []
	if (wants('tests')) {
		say('\nTests of the addon (native/)')
		tests.push(...(await runNativeTests()))
		say(`\nAll tests, long ones too, ${process.env.VOR_FUZZ_RUNS} runs a property`)
		tests.push(...(await runVitest(['--testTimeout=900000'])))
	}
	if (only === 'soak') tests.push(...(await runVitest(['--project=long'])))
	if (wants('sanitize')) tests.push(await sanitize())
	if (wants('lts')) {
		const { binary, version, codename } = await newestLts()
		say(`\nAgain on Node.js ${version} (${codename})`)
		process.env.PATH = `${dirname(binary)}:${process.env.PATH}`
		delete process.env.VOR_FUZZ_RUNS
		const again = [
			...(await runNativeTests({ node: binary })),
			...(await runVitest(['--project=parallel', '--project=serial'], { node: binary })),
		]
		tests.push(...again.map((test) => ({ ...test, file: `[Node ${version}] ${test.file}` })))
	}
	return summarise(tests)
})

/** The addon's C code under address and undefined-behaviour sanitizers, driven from a small C host. */
async function sanitize() {
	say('\nSanitizers (make -C native sanitize)')
	const start = performance.now()
	const { code } = await run('make', ['-C', 'native', 'sanitize'], {
		show: true,
		accept: [0, 1, 2],
		endsWithUs: true,
	})
	return {
		name: 'the C code of the addon passes the sanitizers',
		file: 'native',
		status: code === 0 ? 'passed' : 'failed',
		ms: performance.now() - start,
	}
}
