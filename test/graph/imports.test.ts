import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Graph, LoadResult } from '../../src/graph/graph.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { renderDiagnostics } from '../../src/syntax/render.ts'
import type { Source } from '../../src/syntax/source.ts'
import { makeCertificate } from '../helpers/certificates.ts'
import { eventually, serve, type TestServer } from './support.ts'
import { type Journal, testGraph } from './test-components.ts'

const errors = (result: LoadResult): string[] => result.diagnostics.map(formatDiagnostic)
const module = (tag: string): string => `declare "a" {\n\ttest.sink "k" { tag = "${tag}" }\n}\n`

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close()
})

function start(): { graph: Graph; journal: Journal; load(text: string): Promise<LoadResult> } {
	const made = testGraph()
	closing.push(() => made.graph.stop(1000))
	return made
}

async function server(
	handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
	const made = await serve(handle)
	closing.push(made.close)
	return made
}

describe('import.http', () => {
	const config = (url: string, more = ''): string =>
		`import.http "ns" {\n\turl = "${url}"\n\tpoll_frequency = "100ms"\n${more}\n}\nns.a "x" { }`

	it('sends the method, headers, body and credentials it is told to', async () => {
		const seen: string[] = []
		const { url } = await server((request, response) => {
			const { authorization, 'x-one': one, 'x-two': two } = request.headers
			request.on('data', (bytes: Buffer) =>
				seen.push(`${request.method} ${authorization} ${one} ${two} ${bytes.toString()}`),
			)
			request.on('end', () => response.end(module('asked')))
		})
		const { journal, load } = start()
		const more = `	method  = "POST"
	headers = { "X-One" = "1" }
	body    = "give"
	client {
		http_headers = { "X-Two" = ["2"] }
		basic_auth {
			username = "me"
			password = "pw"
		}
	}`
		expect(errors(await load(config(url, more)))).toEqual([])
		expect(journal.take()).toContain('build test.sink.k asked')
		expect(seen[0]).toBe(`POST Basic ${Buffer.from('me:pw').toString('base64')} 1 2 give`)
	})

	it('follows redirects, without its credentials to another host, and only when it may', async () => {
		const seen: (string | undefined)[] = []
		const target = await server((request, response) => {
			seen.push(request.headers.authorization)
			response.end(module('behind'))
		})
		const { url } = await server((request, response) => {
			if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end()
			else response.writeHead(307, { location: `${target.url}/m` }).end()
		})
		const { journal, load } = start()
		const token = '\tclient {\n\t\tbearer_token = "t0ken"\n\t}'
		expect(errors(await load(config(`${url}/m`, token)))).toEqual([])
		expect(journal.take()).toContain('build test.sink.k behind')
		expect(seen[0]).toBeUndefined()
		const fixed = errors(
			await start().load(config(`${url}/m`, '\tclient {\n\t\tfollow_redirects = false\n\t}')),
		)
		expect(fixed[0]).toBe(
			'config.alloy:1:1: Failed to evaluate node for config block: creating http component: unexpected status code 307 Temporary Redirect',
		)
		expect(errors(await start().load(config(`${url}/loop`)))[0]).toContain('stopped after 10 redirects')
	})

	it('shows another host neither Authorization nor Cookie of its headers, the others it does', async () => {
		const seen: unknown[] = []
		const target = await server((request, response) => {
			const { authorization, cookie, 'x-one': one } = request.headers
			seen.push([authorization, cookie, one])
			response.end(module('behind'))
		})
		const { url } = await server((_request, response) =>
			response.writeHead(307, { location: `${target.url}/m` }).end(),
		)
		const headers = '\theaders = { "Authorization" = "mine", "Cookie" = "mine", "X-One" = "1" }'
		expect(errors(await start().load(config(url, headers)))).toEqual([])
		expect(seen[0]).toEqual([undefined, undefined, '1'])
	})

	it('gives nothing secret to the same host in plain that it gave over TLS', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'vor-imports-'))
		closing.push(() => rm(folder, { recursive: true, force: true }))
		const { cert, key } = makeCertificate(folder, 'server')
		const seen: (string | undefined)[] = []
		const plain = createServer((request, response) => {
			seen.push(request.headers.authorization)
			response.end(module('behind'))
		})
		const secure = createSecureServer(
			{ cert: await readFile(cert), key: await readFile(key) },
			(request, response) => {
				seen.push(request.headers.authorization)
				response.writeHead(302, { location: `http://${request.headers.host}/m` }).end()
			},
		)
		// One port for both: the first connection is the one over TLS.
		let connections = 0
		const both = createSocketServer((socket) =>
			(connections++ === 0 ? secure : plain).emit('connection', socket),
		)
		await new Promise<void>((done) => both.listen(0, '127.0.0.1', done))
		closing.push(async () => both.close())
		const { port } = both.address() as AddressInfo
		const client = `\tclient {
		bearer_token = "t0ken"
		tls_config {
			ca_file = "${cert}"
		}
	}`
		expect(errors(await start().load(config(`https://127.0.0.1:${port}`, client)))).toEqual([])
		expect(seen).toEqual(['Bearer t0ken', undefined])
	})

	it('shows the user and password of its address to the server, and to nobody else', async () => {
		const seen: (string | undefined)[] = []
		let text = module('asked')
		const { url } = await server((request, response) => {
			seen.push(request.headers.authorization)
			response.end(text)
		})
		const address = url.replace('//', '//me:p%40ss@')
		const { journal, load } = start()
		expect(errors(await load(config(address)))).toEqual([])
		expect(journal.take()).toContain('build test.sink.k asked')
		expect(seen[0]).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
		text = 'declare "a" {\n\ttest.sink "k" { tag = [1] }\n}\n'
		const result = await start().load(config(address))
		const explained = renderDiagnostics(
			result.diagnostics,
			new Map<string, string | Source>([...result.sources, ...result.moduleTexts]),
			{ explain: true },
		)
		expect(explained).toContain(`in ${url}`)
		expect(explained.replaceAll(address, '')).not.toContain('p%40ss')
		expect([...result.moduleTexts.keys()]).toEqual([url])
	})

	it('follows changes, keeps the last good module through failures, and follows it again after them', async () => {
		let answer: { status: number; text: string } = { status: 200, text: module('one') }
		const { url } = await server((_request, response) => response.writeHead(answer.status).end(answer.text))
		const { graph, journal, load } = start()
		await load(config(url))
		journal.take()
		for (const bad of [
			{ status: 500, text: module('wrong') },
			{ status: 200, text: 'declare "a" {' },
			{ status: 200, text: 'test.sink "k" { }' },
		]) {
			answer = bad
			await new Promise((done) => setTimeout(done, 250))
			expect((await load(config(url))).ok).toBe(true)
			expect(journal.take()).toEqual([])
		}
		answer = { status: 200, text: module('two') }
		await eventually(() => journal.lines.includes('update test.sink.k two'))
		expect(graph.components()).toHaveLength(2)
	})

	it('is asked at another address when its argument changes at run time, and keeps the old one until that answers', async () => {
		let open = false
		const { url } = await server((request, response) => {
			const name = request.url!.slice(1)
			if (name === 'late' && !open) response.writeHead(503).end()
			else response.end(module(name))
		})
		const { journal, load } = start()
		journal.files.set('/f', `${url}/first`)
		const text = `local.file "f" { filename = "/f" }
import.http "ns" {
	url            = local.file.f.content
	poll_frequency = "100ms"
}
ns.a "x" { }`
		expect(errors(await load(text))).toEqual([])
		journal.take()
		journal.watchers.get('local.file.f')!(`${url}/second`)
		await eventually(() => journal.lines.includes('update test.sink.k second'))
		journal.watchers.get('local.file.f')!(`${url}/late`)
		await new Promise((done) => setTimeout(done, 300))
		expect(journal.take()).toEqual(['update test.sink.k second'])
		open = true
		await eventually(() => journal.lines.includes('update test.sink.k late'))
	})

	it.each([
		['an address that is none', config('nonsense'), 'unsupported protocol scheme'],
		[
			'two ways to show who it is',
			config(
				'http://127.0.0.1:1',
				'\tclient {\n\t\tbearer_token = "a"\n\t\tbasic_auth {\n\t\t\tusername = "b"\n\t\t}\n\t}',
			),
			'at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured',
		],
	])('refuses %s', async (_what, text, message) => {
		expect(errors(await start().load(text))[0]).toContain(message)
	})
})

describe('import.file', () => {
	let folder = ''
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'vor-imports-'))
	})
	afterAll(() => rm(folder, { recursive: true }))

	it.each(['fsnotify', 'poll'])(
		'follows the files of a folder as they come, change and go (%s)',
		async (detector) => {
			const modules = join(folder, detector)
			await mkdir(modules)
			await writeFile(join(modules, 'a.alloy'), module('one'))
			await writeFile(join(modules, 'readme.txt'), 'not a module')
			const { graph, journal, load } = start()
			const config = (more = ''): string =>
				`import.file "ns" {\n\tfilename = "${modules}"\n\tdetector = "${detector}"\n\tpoll_frequency = "100ms"\n}\nns.a "x" { }\n${more}`
			expect(errors(await load(config()))).toEqual([])
			expect(errors(await load(config('ns.b "y" { }')))[0]).toContain('custom component config not found')
			await writeFile(join(modules, 'b.alloy'), 'declare "b" {\n\ttest.sink "m" { tag = "other" }\n}\n')
			let taken = false
			for (let i = 0; i < 100 && !taken; i++) {
				taken = (await load(config('ns.b "y" { }'))).ok
				await new Promise((done) => setTimeout(done, 50))
			}
			expect(journal.lines).toContain('build test.sink.m other')
			await writeFile(join(modules, 'a.alloy'), module('two'))
			await eventually(() => journal.lines.includes('update test.sink.k two'))
			await rm(join(modules, 'b.alloy'))
			// Its user keeps what it was made from, and says that it is gone.
			await eventually(() =>
				graph.components().some((one) => one.localId === 'ns.b.y' && one.health.state === 'unhealthy'),
			)
			expect(journal.lines.filter((line) => line.startsWith('stop'))).toEqual([])
		},
	)

	it('shows errors with the source of the module, under the label that Alloy uses', async () => {
		const path = join(folder, 'bad.alloy')
		await writeFile(path, 'declare "a" {\n\ttest.sink "k" {\n\t\ttag = [1]\n\t}\n}\n')
		const text = `import.file "ns" { filename = "${path}" }\nns.a "x" { }`
		const result = await start().load(text)
		expect(errors(result)).toEqual(['ns:3:9: [1] should be string, got array'])
		expect(renderDiagnostics(result.diagnostics, result.sources)).toBe(
			'Error: ns:3:9: [1] should be string, got array\n',
		)
		const explained = renderDiagnostics(
			result.diagnostics,
			new Map<string, string | Source>([...result.sources, ...result.moduleTexts]),
			{ explain: true },
		)
		expect(explained).toContain('3 |         tag = [1]\n  |               ^^^\n')
		expect(explained).toContain(`  = in ${path}\n`)
	})
})

describe('modules', () => {
	it('import.string follows an export that changes', async () => {
		const { journal, load } = start()
		journal.files.set('/f', module('one'))
		expect(
			errors(
				await load(
					'local.file "f" { filename = "/f" }\nimport.string "ns" { content = local.file.f.content }\nns.a "x" { }',
				),
			),
		).toEqual([])
		journal.take()
		journal.watchers.get('local.file.f')!(module('two'))
		await eventually(() => journal.lines.includes('update test.sink.k two'))
		journal.take()
		journal.watchers.get('local.file.f')!('declare "a" {')
		await new Promise((done) => setTimeout(done, 100))
		expect(journal.take()).toEqual([])
		journal.watchers.get('local.file.f')!(module('three'))
		await eventually(() => journal.lines.includes('update test.sink.k three'))
	})

	it('an inner declare hides an outer one, an import and a component of the same name', async () => {
		const { journal, load } = start()
		const inner = 'declare \\"a\\" {\\n test.sink \\"k\\" { tag = \\"imported\\" }\\n}\\n'
		expect(
			errors(
				await load(`import.string "ns" { content = "${inner}" }
declare "one" {
	test.sink "k" { tag = "outer" }
}
declare "two" {
	declare "one" {
		test.sink "k" { tag = "inner" }
	}
	declare "ns" {
		test.sink "k" { tag = "not imported" }
	}
	one "x" { }
	ns "y" { }
}
two "t" { }
one "x" { }
ns.a "z" { }`),
			),
		).toEqual([])
		expect(
			journal
				.take()
				.filter((line) => line.startsWith('build'))
				.sort(),
		).toEqual([
			'build test.sink.k imported',
			'build test.sink.k inner',
			'build test.sink.k not imported',
			'build test.sink.k outer',
		])
	})

	it('fetched over HTTP may not import files, as in Alloy', async () => {
		const { url } = await server((_request, response) =>
			response.end(`import.file "f" { filename = "x" }\n${module('a')}`),
		)
		const result = await start().load(`import.http "ns" { url = "${url}" }\nns.a "x" { }`)
		expect(result.ok).toBe(false)
		expect(result.diagnostics[0]?.help?.join()).toContain(
			'importing a module via import.http (nodeID: import.http.ns) that contains an import.file block is not supported',
		)
	})
})

describe('a reload that waits for a slow module', () => {
	/** Answers only when it is let. */
	async function slow(): Promise<TestServer & { answer(text: string): void; asked(): boolean }> {
		const waiting: ServerResponse[] = []
		const made = await server((_request, response) => void waiting.push(response))
		return {
			...made,
			answer(text) {
				for (const response of waiting.splice(0)) response.end(text)
			},
			asked: () => waiting.length > 0,
		}
	}
	const running = `local.file "f" { filename = "/f" }
declare "m" {
	argument "t" { }
	test.sink "inner" { tag = argument.t.value }
	export "text" { value = argument.t.value + "!" }
}
m "one" { t = local.file.f.content }
test.sink "a" { tag = local.file.f.content }
test.sink "b" { tag = m.one.text }
`
	const withModule = (url: string, tag = 'local.file.f.content'): string =>
		`${running.replace('test.sink "a" { tag = local.file.f.content }', `test.sink "a" { tag = ${tag} }`)}
import.http "ns" {
	url            = "${url}"
	poll_frequency = "1h"
	poll_timeout   = "30s"
}
ns.a "x" { }`

	it('does not hold up what runs, and takes over the newest values when it comes', async () => {
		const { url, answer, asked } = await slow()
		const { graph, journal, load } = start()
		journal.files.set('/f', 'one')
		await load(running)
		journal.take()
		const reload = load(withModule(url))
		await eventually(asked)
		journal.watchers.get('local.file.f')!('two')
		await eventually(() => journal.lines.length === 3)
		expect(journal.take().sort()).toEqual([
			'update test.sink.a two',
			'update test.sink.b two!',
			'update test.sink.inner two',
		])
		expect(graph.components()).toHaveLength(5)
		answer(module('module'))
		expect(errors(await reload)).toEqual([])
		await graph.settled()
		// Nothing goes back to "one", not even for a moment.
		expect(journal.take()).toEqual(['build test.sink.k module', 'start test.sink.k'])
	})

	it('that is refused leaves what changed meanwhile as it is', async () => {
		const { url, answer, asked } = await slow()
		const { graph, journal, load } = start()
		journal.files.set('/f', 'one')
		await load(running)
		journal.take()
		const reload = load(`${withModule(url)}\ntest.sink "new" { tag = "broken" }`)
		await eventually(asked)
		journal.watchers.get('local.file.f')!('two')
		answer(module('module'))
		expect((await reload).ok).toBe(false)
		await graph.settled()
		expect(
			journal
				.take()
				.filter((line) => line.startsWith('update'))
				.sort(),
		).toEqual(['update test.sink.a two', 'update test.sink.b two!', 'update test.sink.inner two'])
		expect(graph.components().every((one) => one.health.state === 'healthy')).toBe(true)
	})

	it('with a change of the same component takes that over with the newest values', async () => {
		const { url, answer, asked } = await slow()
		const { graph, journal, load } = start()
		journal.files.set('/f', 'one')
		await load(running)
		journal.take()
		const reload = load(withModule(url, 'local.file.f.content + "?"'))
		await eventually(asked)
		journal.watchers.get('local.file.f')!('two')
		await eventually(() => journal.lines.includes('update test.sink.a two'))
		answer(module('module'))
		await reload
		await graph.settled()
		expect(journal.lines.filter((line) => line.includes('test.sink.a'))).toEqual([
			'update test.sink.a two',
			'update test.sink.a two?',
		])
	})

	it('ends at once when Vör is stopped', async () => {
		const { url, asked } = await slow()
		const { graph, journal, load } = start()
		journal.files.set('/f', 'one')
		await load(running)
		const reload = load(withModule(url))
		await eventually(asked)
		const from = performance.now()
		expect((await graph.stop(5000)).clean).toBe(true)
		expect(performance.now() - from).toBeLessThan(1000)
		expect((await reload).ok).toBe(false)
		expect(journal.take().filter((line) => line.startsWith('stop'))).toHaveLength(4)
	})

	it('fetches modules that do not depend on each other at the same time', async () => {
		let open = 0
		let most = 0
		const { url } = await server((_request, response) => {
			most = Math.max(most, ++open)
			setTimeout(() => {
				open--
				response.end(module('m'))
			}, 150)
		})
		const imports = Array.from(
			{ length: 8 },
			(_, i) => `import.http "n${i}" { url = "${url}/${i}" }\nn${i}.a "x" { }`,
		)
		expect(errors(await start().load(imports.join('\n')))).toEqual([])
		expect(most).toBe(8)
	})
})

describe('a component that ran before and now fails', () => {
	it('does not veto a reload: it is unhealthy and keeps its last good arguments and exports', async () => {
		const { graph, journal, load } = start()
		const text = (tag: string, more = ''): string =>
			`test.sink "k" { tag = "${tag}" }\ntest.source "s" { output { traces = [test.sink.k.input] } }\n${more}`
		await load(text('good'))
		journal.take()
		const result = await load(text('broken', 'test.sink "more" { tag = "new" }'))
		expect(errors(result)).toEqual([])
		expect(result.ok).toBe(true)
		const health = (): string[] => graph.components().map((one) => `${one.localId} ${one.health.state}`)
		expect(health()).toEqual(['test.sink.k unhealthy', 'test.source.s healthy', 'test.sink.more healthy'])
		expect(graph.components()[0]!.args).toEqual({ tag: 'good' })
		expect(journal.take()).toEqual(['build test.sink.more new', 'start test.sink.more'])
		// Refused arguments of its schema, on the other hand, veto.
		expect((await load(text('invalid'))).ok).toBe(false)
		expect((await load(text('better'))).ok).toBe(true)
		expect(health()[0]).toBe('test.sink.k healthy')
	})
})
