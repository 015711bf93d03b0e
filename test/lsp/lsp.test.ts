import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CompletionItem, DocumentSymbol, Location } from 'vscode-languageserver/node'
import { Client, cursor } from './client.ts'

let client: Client
const uri = 'untitled:config.alloy'
let count = 0

beforeAll(async () => {
	client = new Client(['--stability.level=experimental'])
	await client.initialize()
})
afterAll(async () => {
	expect(await client.end()).toBe(0)
	expect(client.stderr).toBe('')
})

/** A document of its own for each question. */
async function opened(marked: string) {
	const { text, position } = cursor(marked)
	const name = `untitled:${++count}.alloy`
	await client.open(name, text)
	return { uri: name, position, text }
}

async function completions(marked: string): Promise<CompletionItem[]> {
	const { uri, position } = await opened(marked)
	return client.complete(uri, position)
}

const labels = (items: readonly CompletionItem[]): string[] => items.map((item) => item.label)

const pipeline = `beyla.ebpf "app" {
	discovery {
		instrument {
			open_ports = "80"
		}
	}

	output {
		traces = [otelcol.exporter.otlp.x.input]
	}
}

otelcol.exporter.otlp "x" {
	client {
		endpoint = "127.0.0.1:4317"
	}
}
`

describe('diagnostics', () => {
	it('come with each change, and go when the text is right', async () => {
		await client.open(uri, pipeline.replace('otlp.x.input', 'otlp.y.input'))
		const [found, ...more] = await client.diagnostics(uri)
		expect(more).toEqual([])
		expect(found).toMatchObject({
			severity: 1,
			source: 'vor',
			message: expect.stringContaining(
				'component "otelcol.exporter.otlp.y.input" does not exist or is out of scope',
			),
			range: { start: { line: 8, character: 12 }, end: { line: 8, character: 41 } },
		})
		await client.change(uri, 'x', {
			start: { line: 8, character: 34 },
			end: { line: 8, character: 35 },
		})
		expect(await client.diagnostics(uri)).toEqual([])
		await client.notify('textDocument/didClose', { textDocument: { uri } })
	})

	it('count characters as editors do, not bytes', async () => {
		const { uri } = await opened('// Vör 😀\nlogging {\n\tlevel = /* 😀ö */ nothing\n}|\n')
		const [found] = await client.diagnostics(uri)
		expect(found?.range).toEqual({ start: { line: 2, character: 19 }, end: { line: 2, character: 26 } })
	})

	it('tell all mistakes of a broken text, one a line', async () => {
		const { uri } = await opened('a = = 1\nb "x" 2\nlogging {\n|')
		expect((await client.diagnostics(uri)).length).toBeGreaterThan(1)
	})

	it('warn of what is deprecated or has no effect, and mark it', async () => {
		const { uri } = await opened(pipeline.replace('output {', 'open_port = "1"\n\toutput {|'))
		expect(await client.diagnostics(uri)).toContainEqual(
			expect.objectContaining({ severity: 2, tags: [2], message: expect.stringContaining('deprecated') }),
		)
	})

	it('of arguments say what Alloy says, with the name that was probably meant', async () => {
		const { uri } = await opened('beyla.ebpf "x" {\n\tdiscovry { }|\n}\n')
		const [found] = await client.diagnostics(uri)
		expect(found?.message).toBe('unrecognized block name "discovry"\ndid you mean "discovery"?')
	})

	it('see the other files of a folder when it is one configuration', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'vor-lsp-'))
		const [head, tail] = pipeline.split('\n\notelcol') as [string, string]
		writeFileSync(join(folder, 'b.alloy'), `otelcol${tail}`)
		const other = new Client()
		await other.initialize({ initializationOptions: { folder: true } })
		const name = pathToFileURL(join(folder, 'a.alloy')).href
		await other.open(name, `${head}\n`)
		expect(await other.diagnostics(name)).toEqual([])
		await other.open(pathToFileURL(join(folder, 'b.alloy')).href, '')
		await other.change(name, `${head}\n\n`)
		expect((await other.diagnostics(name))[0]?.message).toContain('does not exist')
		expect(await other.end()).toBe(0)
		rmSync(folder, { recursive: true })
	})
})

describe('completion', () => {
	it('offers components and the other blocks at the top, ready to fill in', async () => {
		const items = await completions('bey|')
		expect(labels(items)).toEqual(
			expect.arrayContaining(['beyla.ebpf', 'otelcol.exporter.otlp', 'logging', 'declare', 'import.file']),
		)
		const beyla = items.find((item) => item.label === 'beyla.ebpf')
		expect(beyla?.textEdit).toEqual({
			range: { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } },
			newText: `beyla.ebpf "\${1:default}" {\n\t$0\n}`,
		})
		expect(JSON.stringify(beyla?.documentation)).toContain('The whole line from socket to spans')
		expect(items.find((item) => item.label === 'logging')?.textEdit?.newText).toBe('logging {\n\t$0\n}')
	})

	it('replaces a dotted beginning as a whole', async () => {
		const items = await completions(`${pipeline}otelcol.exp|`)
		expect(items.find((item) => item.label === 'otelcol.exporter.otlp')?.textEdit).toMatchObject({
			range: { start: { line: 17, character: 0 }, end: { line: 17, character: 11 } },
		})
	})

	it('offers arguments and blocks that are not there yet, the required ones first', async () => {
		const items = await completions('otelcol.exporter.otlp "x" {\n\ttimeout = "1s"\n\t|\n}\n')
		const names = labels([...items].sort((a, b) => (a.sortText ?? '').localeCompare(b.sortText ?? '')))
		expect(names[0]).toBe('client')
		expect(names).toContain('retry_on_failure')
		expect(names).not.toContain('timeout')
	})

	it('does so inside nested blocks, in a text whose braces are still open', async () => {
		const names = labels(
			await completions(`beyla.ebpf "a" {\n\tdiscovery {\n\t\tinstrument {\n\t\t\to|\n\n${pipeline}`),
		)
		expect(names).toEqual(expect.arrayContaining(['open_ports', 'exe_path', 'kubernetes']))
		expect(names).not.toContain('beyla.ebpf')
	})

	it('offers what may be wired, and leaves out what would be refused', async () => {
		const names = labels(
			await completions(pipeline.replace('[otelcol.exporter.otlp.x.input]', '[otelcol.|]')),
		)
		expect(names).toContain('otelcol.exporter.otlp.x.input')
		const text = `${pipeline}ebpf.decode "d" {\n\toutput {\n\t\texchanges = [|]\n\t}\n}\n`
		expect(labels(await completions(text))).not.toContain('otelcol.exporter.otlp.x.input')
		const items = await completions(`${pipeline}logging {\n\tlevel = |\n}\n`)
		expect(labels(items)).toContain('beyla.ebpf.app.targets')
	})

	it('offers the words an argument knows, in and out of quotes, and in lists', async () => {
		expect(labels(await completions('logging {\n\tlevel = |\n}\n'))).toEqual(
			expect.arrayContaining(['"debug"', '"info"']),
		)
		expect(labels(await completions('logging {\n\tlevel = "d|"\n}\n'))).toEqual(
			expect.arrayContaining(['debug', 'info']),
		)
		const [word] = await completions('logging {\n\tlevel = "d|"\n}\n')
		expect(word?.textEdit).toMatchObject({
			range: { start: { line: 1, character: 10 }, end: { line: 1, character: 11 } },
		})
		expect(
			labels(await completions('beyla.ebpf "x" {\n\tmetrics {\n\t\tfeatures = ["application", |]\n\t}\n}\n')),
		).toContain('"application_span"')
		expect(labels(await completions('beyla.ebpf "x" {\n\tenforce_sys_caps = |\n}\n'))).toEqual(
			expect.arrayContaining(['true', 'false']),
		)
	})

	it('offers the standard library', async () => {
		const items = await completions('logging {\n\tlevel = sys.|\n}\n')
		expect(items.find((item) => item.label === 'sys.env')?.detail).toBe('sys.env(name) string')
	})

	it('knows the arguments and exports of custom components', async () => {
		const declare = 'declare "my" {\n\targument "url" { }\n\n\texport "out" {\n\t\tvalue = 1\n\t}\n}\n'
		expect(labels(await completions(`${declare}my|`))).toContain('my')
		expect(labels(await completions(`${declare}my "a" {\n\t|\n}\n`))).toEqual(['url'])
		expect(
			labels(await completions(`${declare}my "a" {\n\turl = 1\n}\nlogging {\n\tlevel = |\n}\n`)),
		).toContain('my.a.out')
		expect(
			labels(
				await completions(
					'declare "my" {\n\targument "url" { }\n\n\tlocal.file "x" {\n\t\tfilename = |\n\t}\n}\n',
				),
			),
		).toContain('argument.url.value')
	})

	it.each([
		['a comment', '// bey|'],
		['a comment in a block', 'logging {\n\t// l|\n}\n'],
		['a label', 'beyla.ebpf "de|" {\n}\n'],
		['the space before a label', 'beyla.ebpf |'],
	])('is silent in %s', async (_, text) => {
		expect(await completions(text)).toEqual([])
	})
})

describe('hover', () => {
	const hover = async (marked: string) => {
		const { uri, position } = await opened(marked)
		return client.hover(uri, position)
	}

	it('documents components, blocks and arguments', async () => {
		expect(await hover(pipeline.replace('beyla', 'bey|la'))).toContain('The whole line from socket')
		expect(await hover(pipeline.replace('instrument', 'instr|ument'))).toContain('What to instrument.')
		const doc = await hover(pipeline.replace('endpoint', 'end|point'))
		expect(doc).toContain('**endpoint** (string, required)')
		expect(doc).toContain('OTLP/gRPC receiver')
	})

	it('tells defaults and known values', async () => {
		expect(await hover('otelcol.exporter.otlp "x" {\n\ttime|out = "1s"\n}\n')).toContain('default "5s"')
		expect(await hover('logging {\n\tle|vel = "info"\n}\n')).toContain('`"debug"`')
	})

	it('documents references and functions, deprecated ones too', async () => {
		expect(await hover(pipeline.replace('otlp.x.input', 'otlp.|x.input'))).toContain(
			'Sends spans and metrics',
		)
		expect(await hover('logging {\n\tlevel = sys.e|nv("X")\n}\n')).toContain('An environment variable')
		expect(await hover('logging {\n\tlevel = en|v("X")\n}\n')).toContain('use `sys.env`')
		expect(await hover('logging {\n\tlevel = "env|"\n}\n')).toBe('')
	})
})

describe('go to definition', () => {
	const definition = async (marked: string) => {
		const { uri, position, text } = await opened(marked)
		const found = await client.request<Location | null>('textDocument/definition', client.at(uri, position))
		if (found === null) return undefined
		expect(found.uri).toBe(uri)
		const { start, end } = found.range
		expect(start.line).toBe(end.line)
		return text.split('\n')[start.line]?.slice(start.character, end.character)
	}

	it('leads from a reference to its component', async () => {
		expect(await definition(pipeline.replace('otlp.x.input', 'ot|lp.x.input'))).toBe(
			'otelcol.exporter.otlp "x"',
		)
		expect(await definition(pipeline.replace('otlp.x.input', 'otlp.x.in|put'))).toBe(
			'otelcol.exporter.otlp "x"',
		)
		expect(await definition(pipeline.replace('"80"', '|nothing.here'))).toBeUndefined()
	})

	it('leads from a custom component to its declare, from its arguments to theirs, and inside modules', async () => {
		const declare = `declare "my" {
	argument "url" { }

	local.file "x" {
		filename = argument.url.value
	}

	export "out" {
		value = local.file.x.content
	}
}

my "a" {
	url = "/x"
}

import.string "lib" {
	content = ""
}

lib.thing "b" { }
`
		expect(await definition(declare.replace('my "a"', 'm|y "a"'))).toBe('declare "my"')
		expect(await definition(declare.replace('url = ', 'u|rl = '))).toBe('argument "url"')
		expect(await definition(declare.replace('argument.url', 'argument.u|rl'))).toBe('argument "url"')
		expect(await definition(declare.replace('local.file.x', 'local.fi|le.x'))).toBe('local.file "x"')
		expect(await definition(declare.replace('lib.thing', 'lib.th|ing'))).toBe('import.string "lib"')
	})
})

describe('the rest', () => {
	it('formats as vor fmt does, and leaves a broken text alone', async () => {
		const { uri } = await opened('logging   {\nlevel="info" // Vör\n}|')
		const [edit] = await client.format(uri)
		expect(edit?.newText).toBe('logging {\n\tlevel = "info" // Vör\n}\n')
		expect(edit?.range).toEqual({ start: { line: 0, character: 0 }, end: { line: 2, character: 1 } })
		const broken = await opened('logging {|')
		expect(await client.format(broken.uri)).toEqual([])
		const right = await opened(`${pipeline}|`)
		expect(await client.format(right.uri)).toEqual([])
	})

	it('outlines a document', async () => {
		const { uri } = await opened(`${pipeline}|`)
		const symbols = await client.request<DocumentSymbol[]>('textDocument/documentSymbol', {
			textDocument: { uri },
		})
		expect(symbols.map((one) => one.name)).toEqual(['beyla.ebpf.app', 'otelcol.exporter.otlp.x'])
		expect(symbols[0]?.children?.map((one) => one.name)).toEqual(['discovery', 'output'])
	})

	it('answers at every place of a text that is typed letter by letter', async () => {
		const text = `${pipeline}declare "ö" {\n\targument "a" { }\n}\n/* x */ logging { level = [{a = f("😀", 1.5)}]["x"] }\n`
		const uri = 'untitled:typed.alloy'
		await client.open(uri, '')
		for (let length = 0; length <= text.length; length += 7) {
			const now = text.slice(0, length)
			await client.change(uri, now)
			const position = { line: now.split('\n').length - 1, character: now.length - now.lastIndexOf('\n') - 1 }
			await client.complete(uri, position)
			await client.hover(uri, position)
			await client.request('textDocument/definition', client.at(uri, position))
		}
		await client.diagnostics(uri)
	})

	it('outlives documents that no one would write', async () => {
		const nasty = [
			'\0\0\0{{{"',
			'}}}}]]))==',
			`${'a {\n'.repeat(3000)}`,
			`x = ${'['.repeat(3000)}`,
			`x = ${'a.'.repeat(5000)}`,
			'x = 2 ^ 2 ^ 2 ^ 99999999',
			'\ud800 = "\udfff',
			'"',
			'/*',
			`declare "a" {\n\ta "x" { }\n}\na "y" { }\n`,
			'a = 1\r\nb = "c\r\n}',
		]
		for (const text of nasty) {
			const name = `untitled:${++count}.alloy`
			await client.open(name, text)
			const lines = text.split('\n')
			for (const position of [
				{ line: 0, character: 0 },
				{ line: 0, character: 5 },
				{ line: lines.length - 1, character: lines.at(-1)!.length },
				{ line: 99_999, character: 99_999 },
			]) {
				await client.complete(name, position)
				await client.hover(name, position)
				await client.request('textDocument/definition', client.at(name, position))
			}
			await client.format(name)
			await client.request('textDocument/documentSymbol', { textDocument: { uri: name } })
			expect(Array.isArray(await client.diagnostics(name))).toBe(true)
		}
	})
})

it('ends when the editor hangs up, and says so when it was not asked to', async () => {
	const other = new Client()
	await other.initialize()
	other.child.stdin?.end()
	expect(await other.exited).toBe(1)
})
