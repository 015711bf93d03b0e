import { describe, expect, it } from 'vitest'
import type { LoadResult } from '../../src/graph/graph.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { testGraph } from './test-components.ts'

const errors = (result: LoadResult): string[] => result.diagnostics.map(formatDiagnostic)

const pipeline = (tag: string, name = 'a'): string => `
test.source "s" {
	name = "${name}"
	output {
		traces = [test.sink.k.input]
	}
}

test.sink "k" {
	tag = "${tag}"
}
`

describe('a graph of components', () => {
	it('builds sinks before sources, starts sinks first and stops sources first', async () => {
		const { graph, journal, load } = testGraph()
		expect(errors(await load(pipeline('one')))).toEqual([])
		expect(journal.take()).toEqual([
			'build test.sink.k one',
			'build test.source.s a→test.sink.k',
			'start test.sink.k',
			'start test.source.s',
		])
		expect((await graph.stop(1000)).clean).toBe(true)
		expect(journal.take()).toEqual(['stop test.source.s', 'stop test.sink.k'])
	})

	it('touches on reload only what changed, and says so', async () => {
		const { journal, load } = testGraph()
		await load(pipeline('one'))
		journal.take()
		const same = await load(pipeline('one'))
		expect(journal.take()).toEqual([])
		expect(same.summary).toEqual({ added: [], removed: [], kept: ['test.sink.k', 'test.source.s'] })
		await load(pipeline('two'))
		expect(journal.take()).toEqual(['update test.sink.k two'])
	})

	it('rebuilds a component that asks for it and turns its sources over to the new ports', async () => {
		const { journal, load } = testGraph()
		await load(pipeline('one'))
		journal.take()
		await load(pipeline('restart'))
		expect(journal.take()).toEqual([
			'update test.sink.k restart',
			'build test.sink.k restart',
			'start test.sink.k',
			'update test.source.s a→test.sink.k',
			'stop test.sink.k',
		])
	})

	it.each([
		[
			'an unknown component',
			'no.such "x" { }',
			'config.alloy:1:1: cannot find the definition of component name "no.such"',
		],
		[
			'an unknown reference',
			'local.file "x" { filename = nope }',
			'config.alloy:1:29: component "nope" does not exist or is out of scope',
		],
		['a syntax error', 'local.file "x" { filename = }', 'config.alloy:1:29: expected expression, got }'],
		[
			'a wrong type',
			'local.file "x" { filename = ["a"] }',
			'config.alloy:1:29: ["a"] should be string, got array',
		],
		[
			'a component that cannot be built',
			'local.file "x" { filename = "/no" }',
			'config.alloy:1:1: Failed to build component: building component: failed to read file: open /no: no such file or directory',
		],
		[
			'a failed check',
			'test.sink "x" { tag = "invalid" }',
			'config.alloy:1:1: Failed to build component: decoding configuration: tag must not be invalid',
		],
		[
			'a missing argument',
			'local.file "x" { }',
			'config.alloy:1:1: Failed to build component: decoding configuration: missing required attribute "filename"',
		],
		['an attribute at the top', 'a = 1', 'config.alloy:1:1: unrecognized attribute a'],
		[
			'a cycle',
			'local.file "a" { filename = local.file.b.content }\nlocal.file "b" { filename = local.file.a.content }',
			'-: cycle: local.file.b, local.file.a',
		],
		[
			'a self reference',
			'local.file "a" { filename = local.file.a.content }',
			'-: self reference: local.file.a',
		],
		[
			'a wrong capsule',
			'local.file "x" { filename = test.sink.z.input }\ntest.sink "z" { }',
			'config.alloy:1:29: test.sink.z.input should be string, got capsule',
		],
		[
			'a missing export',
			'local.file "x" { filename = test.sink.z.nope }\ntest.sink "z" { }',
			'config.alloy:1:41: field "nope" does not exist',
		],
		['a missing label', 'test.sink { }', 'config.alloy:1:1: component "test.sink" must have a label'],
	])('refuses %s as a whole and runs on', async (_what, text, message) => {
		const { graph, journal, load } = testGraph()
		const first = await load(text)
		expect(first.ok).toBe(false)
		expect(errors(first)).toEqual([message])
		expect(graph.components()).toEqual([])
		await load(pipeline('one'))
		journal.take()
		const again = await load(`${text}\n${pipeline('two')}test.sink "more" { }\n`)
		expect(errors(again)).toEqual([message])
		expect(journal.take().filter((line) => !/ test\.sink\.(more|k|z)( |$)/.test(line))).toEqual([])
		expect(graph.components().map((one) => one.localId)).toEqual(['test.sink.k', 'test.source.s'])
		expect(graph.status()).toMatchObject({ loads: 3, failures: 2, lastOk: false })
	})

	it('passes changes of exports on to what refers to them, and only to that', async () => {
		const { graph, journal, load } = testGraph()
		journal.files.set('/f', 'first')
		await load(`local.file "f" { filename = "/f" }
test.sink "a" { tag = local.file.f.content }
test.sink "b" { tag = "fixed" }`)
		journal.take()
		journal.watchers.get('local.file.f')!('second')
		await graph.settled()
		expect(journal.take()).toEqual(['update test.sink.a second'])
		journal.watchers.get('local.file.f')!('second')
		await graph.settled()
		expect(journal.take()).toEqual([])
	})

	it('keeps the last good arguments and exports of what fails later, and shows it as unhealthy', async () => {
		const { graph, journal, load } = testGraph()
		journal.files.set('/f', 'first')
		const text = `local.file "f" { filename = "/f" }\ntest.sink "a" { tag = local.file.f.content }`
		await load(text)
		journal.watchers.get('local.file.f')!('broken')
		await graph.settled()
		const health = (): string[] =>
			graph.components().map((one) => `${one.localId} ${one.health.state} ${one.health.message}`)
		expect(health()[1]).toBe(
			'test.sink.a unhealthy component evaluation failed: updating component: no such tag',
		)
		journal.watchers.get('local.file.f')!('good')
		await graph.settled()
		expect(health()[1]).toBe('test.sink.a healthy component evaluated')
		journal.files.delete('/f')
		journal.watchers.get('local.file.f')!(undefined)
		expect(health()[0]).toBe('local.file.f unhealthy failed to read file: open /f: no such file or directory')
		const reload = await load(text)
		expect(reload.ok).toBe(true)
		expect(health()[0]).toBe('local.file.f unhealthy failed to read file: open /f: no such file or directory')
	})

	it('takes the files of a folder as one configuration', async () => {
		const { journal, load } = testGraph()
		expect(
			errors(await load('test.sink "k" { }', 'test.source "s" { output { traces = [test.sink.k.input] } }')),
		).toEqual([])
		expect(journal.take()).toContain('build test.source.s none→test.sink.k')
		expect(errors(await load('test.sink "k" { }', 'test.sink "k" { }'))).toEqual([
			'conf/b.alloy:1:1: block test.sink.k already declared at conf/a.alloy:1:1',
		])
	})

	it('refuses what is not settled enough', async () => {
		const { load } = testGraph('generally-available')
		expect(errors(await load('test.preview "p" { }'))).toEqual([
			'config.alloy:1:1: component "test.preview" is at stability level "experimental", which is below the minimum allowed stability level "generally-available". Use --stability.level command-line flag to enable "experimental" features',
		])
	})
})
