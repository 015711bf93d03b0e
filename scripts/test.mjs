// npm test: sets up, builds, runs every test but the long ones. `npm test -- PATH …` runs only those (and not native's).
import { runScript, say } from './lib/report.mjs'
import { runNativeTests, runVitest, summarise } from './lib/run-tests.mjs'
import { setup } from './setup.mjs'

await runScript(async () => {
	const only = process.argv.slice(2)
	await setup({ test: true })
	const tests = []
	if (only.length === 0) {
		say('\nTests of the addon (native/)')
		tests.push(...(await runNativeTests()))
	}
	say('\nTests')
	tests.push(...(await runVitest(['--project=parallel', '--project=serial', ...only])))
	return summarise(tests)
})
