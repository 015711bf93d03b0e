import fc from 'fast-check'
import { expect, it } from 'vitest'
import { validateConfiguration } from '../../src/graph/validate.ts'
import { alloyRegistry } from '../conformance/alloy-registry.ts'
import { ownLines } from '../conformance/result.ts'
import { testGraph } from './test-components.ts'

const texts = ownLines<{ config: string | Record<string, string> }>('cli-validate-run.jsonl').flatMap(
	(one) => (typeof one.config === 'string' ? [one.config] : Object.values(one.config)),
)

/** Real configurations with pieces cut out, doubled or moved between them. */
const mutated = fc
	.tuple(
		fc.constantFrom(...texts),
		fc.constantFrom(...texts),
		fc.array(fc.tuple(fc.nat(400), fc.nat(40), fc.nat(2)), { maxLength: 4 }),
	)
	.map(([text, other, edits]) => {
		let out = text
		for (const [at, length, kind] of edits) {
			const from = at % (out.length + 1)
			if (kind === 0) out = out.slice(0, from) + out.slice(from + length)
			else if (kind === 1) out = out.slice(0, from) + other.slice(from, from + length) + out.slice(from)
			else out = `${out}\n${other}`
		}
		return out
	})

it('validate answers every broken configuration without throwing', async () => {
	await fc.assert(
		fc.asyncProperty(mutated, async (text) => {
			const source = { path: 't.alloy', files: [{ name: 't.alloy', text }] }
			const result = await validateConfiguration(source, {
				registry: alloyRegistry,
				stability: 'experimental',
				env: {},
			})
			expect(Array.isArray(result.problems)).toBe(true)
		}),
		{ numRuns: 600 },
	)
}, 60_000)

it('a graph either takes a configuration or refuses it, and stops cleanly after any of them', async () => {
	const pieces = [
		'test.sink "a" { tag = "x" }',
		'test.sink "b" { tag = "restart" }',
		'test.sink "c" { tag = "broken" }',
		'test.source "s" { output { traces = [test.sink.a.input] } }',
		'test.source "t" { output { traces = [test.sink.a.input, m.one.port] } }',
		'declare "m" {\n\tattribute = 1\n}',
		'declare "m" {\n\ttest.sink "i" { }\n\texport "port" { value = test.sink.i.input }\n}',
		'm "one" { }',
		'foreach "f" {\n\tcollection = [1, 2]\n\tvar = "v"\n\ttemplate {\n\t\ttest.sink "k" { tag = v }\n\t}\n}',
		'import.string "ns" { content = "declare \\"d\\" { }" }',
		'ns.d "x" { }',
		'logging { level = "debug" }',
	]
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.subarray(pieces), { minLength: 1, maxLength: 6 }),
			async (configurations) => {
				const { graph, journal, load } = testGraph()
				let running: readonly string[] = []
				for (const one of configurations) {
					const result = await load(one.join('\n'))
					const now = graph.components().map((info) => `${info.moduleId}/${info.localId}`)
					if (result.ok) running = now
					else expect(now).toEqual(running)
				}
				expect((await graph.stop(1000)).clean).toBe(true)
				const count = (word: string): number =>
					journal.lines.filter((line) => line.startsWith(`${word} `)).length
				// Whatever was built was stopped, exactly once.
				expect(count('stop')).toBe(count('build'))
			},
		),
		{ numRuns: 150 },
	)
}, 60_000)

it.each([
	['declares', (n: number) => `${'declare "d" {\n'.repeat(n)}${'}\n'.repeat(n)}`],
	['blocks', (n: number) => `test.sink "k" {\n${'b {\n'.repeat(n)}${'}\n'.repeat(n)}}\n`],
	['values', (n: number) => `test.sink "k" { tag = ${'['.repeat(n)}1${']'.repeat(n)} }\n`],
	['calls', (n: number) => `test.sink "k" { tag = ${'string.to_upper('.repeat(n)}"a"${')'.repeat(n)} }\n`],
])('1 000 levels of %s are validated and loaded, a million are one diagnostic', async (_kind, make) => {
	for (const levels of [1000, 1_000_000]) {
		const text = make(levels)
		const source = { path: 't.alloy', files: [{ name: 't.alloy', text }] }
		const { problems } = await validateConfiguration(source, {
			registry: alloyRegistry,
			stability: 'experimental',
			env: {},
		})
		const { graph, load } = testGraph()
		const result = await load(text)
		if (levels > 1000) {
			expect(problems).toHaveLength(1)
			expect(result.diagnostics).toHaveLength(1)
		}
		await graph.stop(1000)
	}
})
