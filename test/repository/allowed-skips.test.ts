import { expect, test } from 'vitest'
import { textOf, trackedFiles } from './files.ts'

const entries = textOf('test/allowed-skips.txt')
	.split('\n')
	.filter((line) => line.trim() !== '' && !line.startsWith('#'))

test('every allowed skip has a name and a reason', () => {
	for (const line of entries) expect(line).toMatch(/^\S.*: \S.{9,}$/)
})

test('every allowed skip names a test that exists', () => {
	const sources = trackedFiles('test', 'native/test')
		.filter((path) => /\.(ts|js|mjs)$/.test(path))
		.map(textOf)
		.join('\n')
	for (const line of entries) {
		const name = line.slice(0, line.lastIndexOf(': ')).replace(/\*$/, '').trim()
		// A full name is the titles of its suites and its own, joined by spaces: its end must stand in a test file.
		const words = name.split(' ')
		const found = words.some((_, i) => words.length - i >= 3 && sources.includes(words.slice(i).join(' ')))
		expect(found, `no test is called "${name}"`).toBe(true)
	}
})
