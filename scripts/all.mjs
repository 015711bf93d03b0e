// npm run all: format, lint, import ladder, types, build, tests. Stops at the first that fails.
import { run, runScript, timed } from './lib/report.mjs'
import { setup } from './setup.mjs'

await runScript(async () => {
	await setup({ test: true })
	await timed('format and lint: biome', () => run('biome', ['ci', '.'], { fix: 'npx biome check --write .' }))
	await timed('lint: buf', () => run('buf', ['lint'], { fix: 'npx buf lint' }))
	await timed('import ladder', () => run('vitest', ['run', 'test/repository/import-ladder.test.ts']))
	await timed('types: tsc', () => run('tsc', ['-p', 'tsconfig.json']))
	const { code } = await run('node', ['scripts/test.mjs'], { show: true, accept: [0, 1] })
	return code
})
