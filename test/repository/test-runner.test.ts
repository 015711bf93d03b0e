import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { root } from './files.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-runner-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function module(name: string): string {
	return JSON.stringify(new URL(`../../scripts/lib/${name}`, import.meta.url).href)
}

/** Runs a line of JavaScript with the functions of the test runner in scope. */
function script(code: string): { status: number | null; lines: string[] } {
	const imports = `import * as results from ${module('test-results.mjs')}; import { summarise } from ${module('run-tests.mjs')};`
	const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', imports + code], {
		encoding: 'utf8',
	})
	return { status, lines: stdout.trimEnd().split('\n') }
}

test('the last line counts, the exit code follows it, and the ten slowest stand before it', () => {
	const tests = Array.from({ length: 12 }, (_, i) => ({
		name: `t${i}`,
		file: 'f',
		status: 'passed',
		ms: i * 1000,
	}))
	const good = script(`process.exit(summarise(${JSON.stringify(tests)}))`)
	expect(good.status).toBe(0)
	expect(good.lines.at(-1)).toBe('12 passed, 0 failed, 0 skipped')
	expect(good.lines.filter((line) => line.includes('f: t'))).toHaveLength(10)
	expect(good.lines.find((line) => line.includes('f: t'))).toBe('    11.0 s  f: t11')
	const bad = script(
		`process.exit(summarise(${JSON.stringify([...tests, { ...tests[0], status: 'failed' }])}))`,
	)
	expect(bad).toMatchObject({ status: 1 })
	expect(bad.lines.at(-1)).toBe('12 passed, 1 failed, 0 skipped')
	expect(script('process.exit(summarise([]))').status).toBe(1)
})

test('a skip that nobody allowed is a failure', () => {
	const tests = [{ name: 'a test that nobody ever wrote', file: 'f', status: 'skipped', ms: 0 }]
	const { status, lines } = script(`process.exit(summarise(${JSON.stringify(tests)}))`)
	expect(status).toBe(1)
	expect(lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped')
	expect(lines.join('\n')).toContain('not listed in test/allowed-skips.txt')
})

test('an allowed skip matches by its whole name, or by its beginning where that ends in *', () => {
	const allowed = JSON.stringify([{ name: 'exact name' }, { name: 'suite of *' }])
	const code = `for (const name of ['exact name', 'exact name too', 'suite of one', 'suite']) console.log(results.isAllowedSkip(name, ${allowed}))`
	expect(script(code).lines).toEqual(['true', 'false', 'true', 'false'])
})

test('real results of vitest are read: passed, failed, skipped, and a file that does not load', () => {
	writeFileSync(
		join(folder, 'a.test.mjs'),
		`import { test } from 'vitest'; test('good', () => {}); test('bad', () => { throw new Error('x') }); test.skip('later', () => {})`,
	)
	writeFileSync(join(folder, 'b.test.mjs'), `import './absent.mjs'`)
	const report = join(folder, 'report.json')
	const vitest = join(root, 'node_modules/vitest/vitest.mjs')
	const link = `import { symlinkSync } from 'node:fs'; symlinkSync(${JSON.stringify(join(root, 'node_modules'))}, ${JSON.stringify(join(folder, 'node_modules'))})`
	execFileSync(process.execPath, ['--input-type=module', '-e', link])
	spawnSync(
		process.execPath,
		[vitest, 'run', '--root', folder, '--reporter=json', `--outputFile=${report}`],
		{
			cwd: folder,
			env: { ...process.env, VITEST: undefined, VITEST_WORKER_ID: undefined },
		},
	)
	const { lines } = script(
		`for (const { name, status } of results.fromVitestJson(${JSON.stringify(report)})) console.log(status, name)`,
	)
	expect(lines.sort()).toEqual([
		'failed bad',
		'failed the file loads and its hooks pass',
		'passed good',
		'skipped later',
	])
})

test('results of node --test are read in both of its forms', () => {
	for (const mark of ['#', 'ℹ']) {
		const output = JSON.stringify(
			`${mark} tests 5\n${mark} pass 2\n${mark} fail 1\n${mark} cancelled 0\n${mark} skipped 1\n${mark} todo 1\n`,
		)
		const code = `for (const { status } of results.fromNodeTest(${output}, 'native/test')) console.log(status)`
		expect(script(code).lines).toEqual(['passed', 'passed', 'failed', 'skipped', 'skipped'])
	}
})
