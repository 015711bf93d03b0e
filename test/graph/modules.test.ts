import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Graph, LoadResult } from '../../src/graph/graph.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { testGraph } from './test-components.ts'

const errors = (result: LoadResult): string[] => result.diagnostics.map(formatDiagnostic)
const ids = (graph: Graph): string[] =>
	graph
		.components()
		.map((one) => `${one.moduleId}|${one.localId}`)
		.sort()

async function eventually(check: () => boolean): Promise<void> {
	for (let i = 0; i < 200 && !check(); i++) await new Promise((done) => setTimeout(done, 20))
	expect(check()).toBe(true)
}

describe('modules', () => {
	let folder = ''
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'vor-modules-'))
	})
	afterAll(() => rm(folder, { recursive: true }))

	it('passes arguments in and exports out of a custom component', async () => {
		const { graph, journal, load } = testGraph()
		const result = await load(`declare "m" {
	argument "tag" { }
	test.sink "inner" { tag = argument.tag.value }
	export "port" { value = test.sink.inner.input }
	export "text" { value = argument.tag.value + "!" }
}
m "one" { tag = "a" }
test.source "s" {
	name = m.one.text
	output { traces = [m.one.port] }
}`)
		expect(errors(result)).toEqual([])
		expect(journal.take()).toEqual([
			'build test.sink.inner a',
			'build test.source.s a!→test.sink.inner',
			'start test.sink.inner',
			'start test.source.s',
		])
		expect(ids(graph)).toEqual(['m.one|test.sink.inner', '|m.one', '|test.source.s'].sort())
		const one = graph.components().find((info) => info.localId === 'm.one')!
		expect(one.health.message).toBe('started custom component')
		expect(one.referencedBy).toEqual(['test.source.s'])
	})

	it('passes a changed argument through without rebuilding anything', async () => {
		const { graph, journal, load } = testGraph()
		journal.files.set('/f', 'a')
		await load(`declare "m" {
	argument "tag" { }
	test.sink "inner" { tag = argument.tag.value }
	export "text" { value = argument.tag.value }
}
local.file "f" { filename = "/f" }
m "one" { tag = local.file.f.content }
test.sink "outer" { tag = m.one.text }`)
		journal.take()
		journal.watchers.get('local.file.f')!('b')
		await graph.settled()
		await graph.settled()
		expect(journal.take()).toEqual(['update test.sink.inner b', 'update test.sink.outer b'])
	})

	it('lets optional arguments have defaults, nested declares see outer ones, and declares hide components', async () => {
		const { graph, journal, load } = testGraph()
		journal.files.set('unset', 'content')
		const result = await load(`declare "test" {
	argument "tag" {
		optional = true
		default  = "unset"
	}
	declare "deep" {
		helper "h" { }
	}
	deep "d" { }
	local.file "x" { filename = argument.tag.value }
}
declare "helper" { }
test "t" { }`)
		expect(errors(result)).toEqual([])
		expect(ids(graph)).toEqual(
			['test.t/deep.d|helper.h', 'test.t|deep.d', 'test.t|local.file.x', '|test.t'].sort(),
		)
	})

	it.each([
		[
			'a missing argument',
			'declare "m" {\n\targument "x" { }\n}\nm "one" { }',
			'config.alloy:2:2: Failed to evaluate node for config block: missing required argument "x" to module',
		],
		[
			'an argument it does not take',
			'declare "m" { }\nm "one" { y = 1 }',
			'-: Provided argument "y" is not defined in the module',
		],
		[
			'a reference out of its scope',
			'test.sink "out" { }\ndeclare "m" {\n\ttest.source "s" { output { traces = [test.sink.out.input] } }\n}\nm "one" { }',
			'config.alloy:3:39: component "test.sink.out.input" does not exist or is out of scope',
		],
		[
			'a declare that contains itself',
			'declare "m" {\n\tm "x" { }\n}\nm "one" { }',
			'-: self reference: declare.m',
		],
		[
			'an argument at the root',
			'argument "x" { }',
			'config.alloy:1:1: argument blocks only allowed inside a module',
		],
		[
			'logging in a module',
			'declare "m" {\n\tlogging { }\n}\nm "one" { }',
			'config.alloy:2:2: logging block not allowed inside a module',
		],
		[
			'a module that cannot be parsed',
			'import.string "ns" {\n\tcontent = "declare {"\n}\nns.a "one" { }',
			'config.alloy:4:1: Failed to build component: loading custom component controller: custom component config not found in the registry, namespace: "ns", componentName: "a"',
		],
	])('refuses %s', async (_what, text, message) => {
		const { load } = testGraph()
		expect(errors(await load(text))).toEqual([message])
	})

	it('imports a file, follows its changes, and keeps the last good one', async () => {
		const { graph, journal, load } = testGraph()
		const file = join(folder, 'module.alloy')
		const module = (tag: string): string => `declare "a" {\n\ttest.sink "k" { tag = "${tag}" }\n}\n`
		await writeFile(file, module('first'))
		expect(errors(await load(`import.file "ns" { filename = "${file}" }\nns.a "one" { }`))).toEqual([])
		expect(journal.take()).toEqual(['build test.sink.k first', 'start test.sink.k'])
		await writeFile(file, module('second'))
		await eventually(() => journal.lines.includes('update test.sink.k second'))
		journal.take()
		await writeFile(file, 'declare "a" {')
		await new Promise((done) => setTimeout(done, 300))
		expect(journal.take()).toEqual([])
		expect(ids(graph)).toEqual(['ns.a.one|test.sink.k', '|ns.a.one'].sort())
		await rm(file)
		expect((await graph.reload()).ok).toBe(true)
		await graph.stop(1000)
	})

	it('lets a module import the file beside it through module_path', async () => {
		const { journal, load } = testGraph()
		await writeFile(join(folder, 'base.alloy'), 'declare "b" {\n\ttest.sink "k" { tag = "base" }\n}\n')
		await writeFile(
			join(folder, 'top.alloy'),
			'import.file "base" { filename = file.path_join(module_path, "base.alloy") }\ndeclare "t" {\n\tbase.b "x" { }\n}\n',
		)
		expect(
			errors(await load(`import.file "ns" { filename = "${join(folder, 'top.alloy')}" }\nns.t "one" { }`)),
		).toEqual([])
		expect(journal.take()).toContain('build test.sink.k base')
	})

	it('follows a change in a module that an imported module imports', async () => {
		const { graph, journal, load } = testGraph()
		const elsewhere = await mkdtemp(join(tmpdir(), 'vor-inner-'))
		const inner = join(elsewhere, 'inner.alloy')
		const write = (tag: string): Promise<void> =>
			writeFile(inner, `declare "b" {\n\ttest.sink "k" { tag = "${tag}" }\n}\n`)
		await write('first')
		await writeFile(
			join(folder, 'outer.alloy'),
			`import.file "base" { filename = "${inner}" }\ndeclare "t" {\n\tbase.b "x" { }\n}\n`,
		)
		expect(
			errors(await load(`import.file "ns" { filename = "${join(folder, 'outer.alloy')}" }\nns.t "one" { }`)),
		).toEqual([])
		journal.take()
		await write('second')
		await eventually(() => journal.lines.includes('update test.sink.k second'))
		expect(journal.take()).toEqual(['update test.sink.k second'])
		await graph.stop(1000)
		await rm(elsewhere, { recursive: true })
	})

	it('imports over HTTP and polls for changes', async () => {
		let tag = 'one'
		const server = createServer((_request, response) =>
			response.end(`declare "a" {\n\ttest.sink "k" { tag = "${tag}" }\n}\n`),
		)
		await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
		const { port } = server.address() as AddressInfo
		const { graph, journal, load } = testGraph()
		const text = `import.http "ns" {\n\turl = "http://127.0.0.1:${port}/m.alloy"\n\tpoll_frequency = "100ms"\n}\nns.a "x" { }`
		expect(errors(await load(text))).toEqual([])
		tag = 'two'
		await eventually(() => journal.lines.includes('update test.sink.k two'))
		await new Promise((done) => server.close(done))
		server.closeAllConnections()
		expect((await load(text)).ok).toBe(true)
		await graph.stop(1000)
	})

	it('runs the template of a foreach once for every item and follows the collection', async () => {
		const { graph, journal, load } = testGraph()
		const text = (items: string): string => `foreach "f" {
	collection = ${items}
	var        = "each"

	template {
		test.sink "k" { tag = each.name }
	}
}`
		expect(
			errors(
				await load(text('[{name = "a"}, {name = "b"}]').replace('var  ', 'id         = "name"\n\tvar  ')),
			),
		).toEqual([])
		expect(journal.take().sort()).toEqual([
			'build test.sink.k a',
			'build test.sink.k b',
			'start test.sink.k',
			'start test.sink.k',
		])
		await load(text('[{name = "b"}, {name = "c"}]').replace('var  ', 'id         = "name"\n\tvar  '))
		expect(journal.take().sort()).toEqual(['build test.sink.k c', 'start test.sink.k', 'stop test.sink.k'])
		await graph.stop(1000)
	})

	it('calls the modules of a foreach as Alloy does, so that an item without an id keeps its own', async () => {
		const { graph, journal, load } = testGraph()
		const text = (items: string, more = ''): string => `foreach "f" {
	collection = [${items}]
	var        = "each"
${more}
	template {
		test.sink "k" { tag = "t" }
	}
}`
		const keys = (): readonly string[] =>
			graph
				.components()
				.filter(({ localId }) => localId === 'test.sink.k')
				.map(({ moduleId }) => moduleId.replace('foreach.f/foreach_', ''))
		const object = '00044bd8c679682d57b09399f458ecdb0ce06e01e471264eac7b0c2144a5745d'
		const list = '9d6f1110ec1474bba0235f1e3c167aa4bfb9372e54e60187ce774aa277f1ed1d'
		const nothing = 'a9dc16a7a3875d174c1af4f923f261cafc124357f2322493a59ee0d14fcd10db'
		const first = '{ port = 80, name = "a", f = 1.5 }'
		expect(errors(await load(text(`3.14, 7, true, "ä.b", "ä-b", ${first}, [1, "x", null], null`)))).toEqual(
			[],
		)
		expect(keys()).toEqual([
			'3_140000_1',
			'7_1',
			'true_1',
			'ä_b_1',
			'ä_b_2',
			`${object}_1`,
			`${list}_1`,
			`${nothing}_1`,
		])
		journal.take()
		expect(errors(await load(text(`{ port = 81 }, ${first}`)))).toEqual([])
		expect(keys()[1]).toBe(`${object}_1`)
		expect(journal.take().filter((line) => line.startsWith('build'))).toHaveLength(1)
		expect(errors(await load(text('"a", 7', '\thash_string_id = true')))).toEqual([])
		expect(keys()).toEqual([`${createHash('sha256').update('a').digest('hex')}_1`, '7_1'])
		await graph.stop(1000)
	})
})
