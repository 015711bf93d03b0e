import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, textOf, trackedFiles } from './files.ts'

const page = textOf('docs/metrics.md')

/** `vor_…` that the code gives to a metric, an accounting series or a count. */
const inCode = new Set(
	trackedFiles('src/*.ts').flatMap((path) =>
		[...textOf(path).matchAll(/'(vor_[a-z_]+)'/g)].map((match) => match[1]!),
	),
)

test('every vor_* metric of the code stands on the page of metrics, and no other', () => {
	const onPage = new Set([...page.matchAll(/`(vor_[a-z_]+)`/g)].map((match) => match[1]!))
	const metrics = [...inCode].filter((name) => /_(total|held|seconds|info|series)$/.test(name))
	expect(metrics.length).toBeGreaterThan(20)
	expect([...onPage].sort()).toEqual(metrics.sort())
})

test('every page of the documentation stands in its index', () => {
	const index = textOf('docs/README.md')
	for (const name of readdirSync(join(root, 'docs')))
		if (name !== 'README.md') expect(index, name).toContain(`](${name}`)
})
