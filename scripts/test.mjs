// npm test: sets up, builds, runs every test but the long ones. `npm test -- PATH …` runs only those (and not native's);
// `npm test -- --vm` the quick part of the kernel matrix as well.
import { runScript, say } from './lib/report.mjs'
import { runNativeTests, runQuickMatrix, runVitest, summarise } from './lib/run-tests.mjs'
import { setup } from './setup.mjs'

await runScript(async () => {
	const only = process.argv.slice(2).filter((word) => word !== '--vm')
	await setup({ test: true })
	const tests = []
	if (only.length === 0) {
		say('\nTests of the addon (native/)')
		tests.push(...(await runNativeTests()))
	}
	say('\nTests')
	tests.push(...(await runVitest(['--project=parallel', '--project=serial', ...only])))
	if (process.argv.includes('--vm')) {
		say('\nOther kernels, the quick part (npm run test:vm -- --quick)')
		tests.push(...(await runQuickMatrix()))
	}
	return summarise(tests)
})
