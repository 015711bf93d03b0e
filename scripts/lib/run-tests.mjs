import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bound } from './bound.mjs'
import { root, run, say, seconds } from './report.mjs'
import { fromNodeTest, fromVitestJson, isAllowedSkip, readAllowedSkips } from './test-results.mjs'

/** Runs vitest with these arguments under this Node.js and gives its results. */
export async function runVitest(args, { node = process.execPath } = {}) {
	const file = join(root, '.cache/test-results.json')
	mkdirSync(join(root, '.cache'), { recursive: true })
	rmSync(file, { force: true })
	const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
	const code = await inherit(node, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args])
	let tests
	try {
		tests = fromVitestJson(file)
	} catch {
		return [{ name: 'vitest ends with a report', file: 'vitest.config.ts', status: 'failed', ms: 0 }]
	}
	// An unhandled error fails vitest without failing a test.
	if (code !== 0 && !tests.some((test) => test.status === 'failed')) {
		tests.push({ name: 'no error stays unhandled', file: 'vitest', status: 'failed', ms: 0 })
	}
	return tests
}

/** The addon's own tests: what `npm test -w native` does. */
export async function runNativeTests({ node = process.execPath } = {}) {
	await run('make', ['-s', '-C', 'native', 'test-objects'])
	const files = readdirSync(join(root, 'native/test')).filter((name) => name.endsWith('.test.js'))
	const { code, output } = await run(node, ['--test', ...files.map((name) => join('test', name))], {
		cwd: join(root, 'native'),
		show: true,
		env: { PATH: `${dirname(node)}:${process.env.PATH}` },
		accept: [0, 1],
		endsWithUs: true,
	})
	const tests = fromNodeTest(output, 'native/test')
	if (code !== 0 && !tests.some((test) => test.status === 'failed')) {
		tests.push({ name: 'native/test ends well', file: 'native/test', status: 'failed', ms: 0 })
	}
	if (tests.length === 0)
		tests.push({ name: 'native/test has tests', file: 'native/test', status: 'failed', ms: 0 })
	return tests
}

/** A few kernels under emulation, one surface each: `npm run test:vm -- --quick`. */
export async function runQuickMatrix() {
	const file = join(root, '.cache/vm-results.json')
	mkdirSync(join(root, '.cache'), { recursive: true })
	rmSync(file, { force: true })
	const code = await inherit(process.execPath, ['scripts/vm.mjs', '--quick', '--no-build', '--tests', file])
	try {
		const tests = JSON.parse(readFileSync(file, 'utf8'))
		if (code === 0 || tests.some((test) => test.status === 'failed')) return tests
	} catch {
		// It ended before it could say anything: one failure says so.
	}
	return [{ name: 'the kernel matrix comes to its end', file: 'scripts/vm.mjs', status: 'failed', ms: 0 }]
}

/**
 * The end of every test run: what failed, skips that nobody allowed (they fail the run), the ten slowest, and as the very
 * last line `N passed, N failed, N skipped`. Gives the exit code.
 */
export function summarise(tests) {
	const allowed = readAllowedSkips()
	for (const test of tests) {
		if (test.status === 'skipped' && !isAllowedSkip(test.name, allowed)) {
			test.status = 'failed'
			test.note = 'skipped, but not listed in test/allowed-skips.txt'
		}
	}
	const of = (status) => tests.filter((test) => test.status === status)
	const failed = of('failed')
	if (failed.length > 0) say('\nFailed:')
	for (const test of failed)
		say(`  ${test.file}: ${test.name}${test.note === undefined ? '' : ` (${test.note})`}`)
	const slowest = [...tests].sort((a, b) => b.ms - a.ms).slice(0, 10)
	say('\nTen slowest tests:')
	for (const test of slowest) say(`  ${seconds(test.ms).padStart(8)}  ${test.file}: ${test.name}`)
	say('')
	say(`${of('passed').length} passed, ${failed.length} failed, ${of('skipped').length} skipped`)
	return failed.length === 0 && tests.length > 0 ? 0 : 1
}

/** Runs with this terminal; resolves to the exit code. Signals reach the child through the process group. */
function inherit(program, args) {
	return new Promise((resolve, reject) => {
		// vitest's workers end with it (test/setup.ts), and with them what the tests started.
		const child = spawn(...bound('KILL', program, args), { cwd: root, stdio: 'inherit' })
		child.on('error', reject)
		child.on('close', (code) => resolve(code ?? 1))
	})
}
