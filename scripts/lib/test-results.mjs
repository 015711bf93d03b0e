import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './report.mjs'

/**
 * Results of several runners, added up. `tests` holds one entry a test: {name, file, status: passed|failed|skipped, ms}.
 * A file that does not even load counts as one failed test.
 */
export function fromVitestJson(path) {
	const report = JSON.parse(readFileSync(path, 'utf8'))
	const tests = []
	for (const suite of report.testResults) {
		const file = relative(root, suite.name)
		for (const test of suite.assertionResults) {
			const status = test.status === 'passed' ? 'passed' : test.status === 'failed' ? 'failed' : 'skipped'
			tests.push({ name: test.fullName.trim(), file, status, ms: test.duration ?? 0 })
		}
		const counted = suite.assertionResults.some((test) => test.status === 'failed')
		if (suite.status === 'failed' && !counted) {
			tests.push({ name: 'the file loads and its hooks pass', file, status: 'failed', ms: 0 })
		}
	}
	return tests
}

/** The counts that `node --test` prints at its end, in its own or in TAP form. */
export function fromNodeTest(output, file) {
	const count = (word) => {
		const match = new RegExp(`^(?:#|ℹ) ${word} (\\d+)$`, 'm').exec(output)
		return match === null ? 0 : Number(match[1])
	}
	const entries = (number, status) =>
		Array.from({ length: number }, () => ({ name: `${file} (${status})`, file, status, ms: 0 }))
	const failed = count('fail') + count('cancelled')
	return [
		...entries(count('pass'), 'passed'),
		...entries(failed, 'failed'),
		...entries(count('skipped') + count('todo'), 'skipped'),
	]
}

/**
 * `test/allowed-skips.txt`: a line is `full test name: reason`; empty lines and lines with # do not count. A name may end
 * in `*`.
 */
export function readAllowedSkips() {
	const allowed = []
	for (const line of readFileSync(join(root, 'test/allowed-skips.txt'), 'utf8').split('\n')) {
		if (line.trim() === '' || line.startsWith('#')) continue
		const at = line.lastIndexOf(': ')
		if (at < 0) throw new Error(`test/allowed-skips.txt: no reason in "${line}"`)
		allowed.push({ name: line.slice(0, at).trim(), reason: line.slice(at + 2).trim() })
	}
	return allowed
}

export function isAllowedSkip(name, allowed) {
	return allowed.some((entry) =>
		entry.name.endsWith('*') ? name.startsWith(entry.name.slice(0, -1)) : name === entry.name,
	)
}
