import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from './files.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-clean-'))
const clone = join(folder, 'vor')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Without the environment npm gave to this run, as a user's shell has it. */
function run(program: string, ...args: string[]): string {
	const env: NodeJS.ProcessEnv = { ...process.env, CI: 'true' }
	for (const name of Object.keys(env))
		if (/^npm_(?!config_(registry|cafile))|^NODE_ENV$|^VITEST|^INIT_CWD$/.test(name)) delete env[name]
	return execFileSync(program, args, { cwd: existsSync(clone) ? clone : folder, env, encoding: 'utf8' })
}

beforeAll(() => {
	run('git', '-c', 'safe.directory=*', 'clone', '--quiet', '--no-hardlinks', root, clone)
	run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error')
}, 300_000)

test('after npm ci --ignore-scripts nothing is built yet', () => {
	expect(existsSync(join(clone, 'node_modules/rxjs'))).toBe(true)
	for (const path of ['dist', 'native/build', 'bpf/.output'])
		expect(existsSync(join(clone, path))).toBe(false)
})

test('an explicit build makes a vor that runs and loads the addon and an object', {
	timeout: 300_000,
}, () => {
	run('node', 'scripts/build.mjs')
	const { version } = JSON.parse(run('node', '-p', 'JSON.stringify(require("./package.json"))')) as {
		version: string
	}
	expect(run('node', 'dist/main.js', '--version')).toContain(`version v${version}`)
	const names = run(
		'node',
		'-e',
		`const fs = require('node:fs'); const loader = require('bpf-native-loader');
		for (const name of fs.readdirSync('bpf/.output').filter((n) => n.endsWith('.bpf.o'))) {
			const object = loader.openObject('bpf/.output/' + name); console.log(object.programs.length); object.close()
		}`,
	)
	expect(Number(names.split('\n')[0])).toBeGreaterThan(0)
})

test('a second build has nothing to do', () => {
	expect(run('node', 'scripts/build.mjs')).toBe('')
})
