import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { parseNoProxy } from '../../src/graph/no-proxy.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { run, startProgram } from '../e2e/support/process.ts'
import { makeCertificate } from '../helpers/certificates.ts'
import { eventually, serve, type TestServer } from './support.ts'
import { testGraph } from './test-components.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-proxy-'))
const file = (name: string): string => join(folder, name)
const module = 'declare "a" {\n\ttest.sink "k" { tag = "through" }\n}\n'

interface Noted {
	readonly kind: 'plain' | 'tunnel' | 'closed'
	readonly target: string
	readonly headers: Readonly<Record<string, string>>
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close()
})

let plain: TestServer
let secure: TestServer
const seen: (string | undefined)[] = []
beforeAll(async () => {
	makeCertificate(folder, 'server', { names: 'DNS:modules.example' })
	makeCertificate(folder, 'proxy')
	plain = await serve((request, response) => {
		seen.push(request.headers['proxy-authorization'])
		response.end(module)
	})
	const tls = { cert: readFileSync(file('server.pem')), key: readFileSync(file('server.key')) }
	secure = await serve(
		(request, response) => {
			seen.push(request.headers['proxy-authorization'])
			response.end(module)
		},
		(handler) => createSecureServer(tls, handler) as never,
	)
})
afterAll(async () => {
	await plain?.close()
	await secure?.close()
	rmSync(folder, { recursive: true, force: true })
})

/** A proxy that alone knows where `modules.example` is. */
async function startProxy(env: NodeJS.ProcessEnv = {}) {
	const hosts = `modules.example:80=${new URL(plain.url).host},modules.example:443=${new URL(secure.url).host}`
	const program = startProgram(
		process.execPath,
		[fileURLToPath(new URL('programs/proxy.mjs', import.meta.url))],
		{ env: { PATH: process.env['PATH'], HOSTS: hosts, ...env } },
	)
	closing.push(() => program.stop())
	const [, port] = await program.waitFor(/listening (\d+)/)
	const noted = (): Noted[] =>
		program
			.stdout()
			.split('\n')
			.filter((line) => line.startsWith('{'))
			.map((line) => JSON.parse(line) as Noted)
	return { host: `127.0.0.1:${port}`, noted }
}

async function load(url: string, client: string, more = ''): Promise<readonly string[]> {
	const { graph, journal, load } = testGraph()
	closing.push(() => graph.stop(1000))
	const text = `import.http "ns" {\n\turl = "${url}"\n${more}\n\tclient {\n${client}\n\t}\n}\nns.a "x" { }`
	const result = await load(text)
	if (!result.ok) return result.diagnostics.map(formatDiagnostic)
	return journal.take().filter((line) => line.startsWith('build'))
}

const trust = (): string => `\t\ttls_config {\n\t\t\tca_file = "${file('server.pem')}"\n\t\t}`
const built = ['build test.sink.k through']

describe('import.http through a proxy', () => {
	it('the proxy of these tests is one: curl works through it', async () => {
		const { host, noted } = await startProxy({ LOGIN: 'me:pw' })
		const curl = (...args: string[]) => run('curl', ['-sS', '-x', `http://me:pw@${host}`, ...args])
		expect((await curl('http://modules.example/m')).stdout).toBe(module)
		const over = await curl('--cacert', file('server.pem'), 'https://modules.example/m')
		expect(over.stdout, over.stderr).toBe(module)
		expect(noted().map(({ kind, target }) => [kind, target])).toContainEqual([
			'tunnel',
			'modules.example:443',
		])
	})

	it('asks it for the whole address of a plain URL, and for a tunnel to a TLS one', async () => {
		const { host, noted } = await startProxy()
		const proxy = `\t\tproxy_url = "http://${host}"\n\t\tproxy_connect_header = { "X-Zone" = ["a", "b"] }\n${trust()}`
		expect(await load('http://modules.example/m', proxy)).toEqual(built)
		expect(await load('https://modules.example/m', proxy)).toEqual(built)
		const [first, second] = noted()
		expect(first).toMatchObject({ kind: 'plain', target: 'http://modules.example/m' })
		expect(first!.headers).toMatchObject({ host: 'modules.example' })
		// Only a tunnel is asked for with them, as in Go.
		expect(first!.headers['x-zone']).toBeUndefined()
		expect(second).toMatchObject({ kind: 'tunnel', target: 'modules.example:443' })
		expect(second!.headers).toMatchObject({ host: 'modules.example:443', 'x-zone': 'a, b' })
	})

	it('shows the proxy who it is, and nobody else', async () => {
		const { host, noted } = await startProxy({ LOGIN: 'me:p@ss' })
		const proxy = `\t\tproxy_url = "http://me:p%40ss@${host}"\n${trust()}`
		seen.length = 0
		expect(await load('http://modules.example/m', proxy)).toEqual(built)
		expect(await load('https://modules.example/m', proxy)).toEqual(built)
		expect(seen).toEqual([undefined, undefined])
		for (const { headers } of noted().slice(0, 2)) expect(headers['authorization']).toBeUndefined()
		const [refused] = await load('https://modules.example/m', `\t\tproxy_url = "http://${host}"\n${trust()}`)
		expect(refused).toContain(
			`performing request: proxy ${host} refused the tunnel to modules.example:443: 407 Proxy Authentication Required`,
		)
		const [told] = await load('http://modules.example/m', `\t\tproxy_url = "http://you:hidden@${host}"`)
		expect(told).toContain('unexpected status code 407')
		expect(told).not.toContain('hidden')
	})

	it('speaks TLS to a proxy that does, and checks its certificate', async () => {
		const { host } = await startProxy({ CERT: file('proxy.pem'), KEY: file('proxy.key') })
		const proxy = (tls: string): string =>
			`\t\tproxy_url = "https://${host}"\n\t\ttls_config {\n\t\t\t${tls}\n\t\t}`
		expect(await load('http://modules.example/m', proxy(`ca_file = "${file('proxy.pem')}"`))).toEqual(built)
		expect(await load('https://modules.example/m', proxy('insecure_skip_verify = true'))).toEqual(built)
		expect((await load('https://modules.example/m', proxy(`ca_file = "${file('server.pem')}"`)))[0]).toMatch(
			/performing request: proxy 127\.0\.0\.1:\d+: self-signed certificate/,
		)
	})

	it('checks the server behind the tunnel as one without', async () => {
		const { host } = await startProxy()
		const proxy = `\t\tproxy_url = "http://${host}"\n`
		expect((await load('https://modules.example/m', proxy))[0]).toContain('self-signed certificate')
		const other = `${proxy}\t\ttls_config {\n\t\t\tca_file = "${file('server.pem')}"\n\t\t\tserver_name = "other.example"\n\t\t}`
		expect((await load('https://modules.example/m', other))[0]).toContain(
			'altnames: Host: other.example. is not',
		)
		// Reached by its address and checked by its name.
		const named = other.replace('other.example', 'modules.example')
		expect(await load(secure.url.replace('http:', 'https:'), named)).toEqual(built)
	})

	it('goes without it to what no_proxy names, and to this machine then', async () => {
		const { host, noted } = await startProxy()
		const list = (text: string): string => `\t\tproxy_url = "http://${host}"\n\t\tno_proxy = "${text}"`
		expect((await load('http://modules.example/m', list('example')))[0]).toMatch(/ENOTFOUND|EAI_AGAIN/)
		expect(await load('http://modules.example/m', list('other.example'))).toEqual(built)
		expect(await load(plain.url, list('other.example'))).toEqual(built)
		expect(noted()).toHaveLength(1)
		// Without a list what is named is used, wherever the server is.
		expect(await load(plain.url, `\t\tproxy_url = "http://${host}"`)).toEqual(built)
		expect(noted()).toHaveLength(2)
	})

	it('finds it in the environment when it may look there', async () => {
		const { host, noted } = await startProxy()
		const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'] as const
		const before = names.map((name) => [name, process.env[name]] as const)
		try {
			for (const name of names) delete process.env[name]
			process.env['HTTP_PROXY'] = `http://${host}`
			process.env['https_proxy'] = host
			const look = `\t\tproxy_from_environment = true\n${trust()}`
			expect(await load('http://modules.example/m', look)).toEqual(built)
			expect(await load('https://modules.example/m', look)).toEqual(built)
			expect(noted().filter(({ kind }) => kind !== 'closed')).toMatchObject([
				{ kind: 'plain' },
				{ kind: 'tunnel' },
			])
			expect((await load('http://modules.example/m', trust()))[0]).toMatch(/ENOTFOUND|EAI_AGAIN/)
			process.env['NO_PROXY'] = '.example'
			expect((await load('http://modules.example/m', look))[0]).toMatch(/ENOTFOUND|EAI_AGAIN/)
		} finally {
			for (const [name, value] of before) {
				if (value === undefined) delete process.env[name]
				else process.env[name] = value
			}
		}
	})

	it('waits for a proxy that does not answer no longer than poll_timeout, and lets its connection go', async () => {
		const { host, noted } = await startProxy({ SILENT: '1' })
		const client = `\t\tproxy_url = "http://${host}"`
		const [told] = await load('https://modules.example/m', client, '\tpoll_timeout = "200ms"')
		expect(told).toContain('performing request: no answer within 200 ms')
		await eventually(() => noted().some(({ kind }) => kind === 'closed'))
		expect(noted().map(({ kind }) => kind)).toEqual(['tunnel', 'closed'])
		const gone = `http://127.0.0.1:1`
		expect((await load('https://modules.example/m', `\t\tproxy_url = "${gone}"`))[0]).toContain(
			'performing request: proxy 127.0.0.1:1: connect ECONNREFUSED',
		)
	})

	it.each([
		['no_proxy = "x"', 'if no_proxy is configured, proxy_url must also be configured'],
		[
			'proxy_from_environment = true\n\t\tproxy_url = "http://a"',
			'if proxy_from_environment is configured, proxy_url must not be configured',
		],
		[
			'proxy_from_environment = true\n\t\tno_proxy = "a"',
			'if proxy_from_environment is configured, no_proxy must not be configured',
		],
		[
			'proxy_connect_header = { "a" = ["b"] }',
			'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
		],
		['proxy_url = "socks5://me:hidden@a"', 'named by a URL that begins with http:// or https://'],
		['proxy_url = "http://a%zz@b"', 'must be percent-encoded'],
		['http_headers = { "content-type" = ["b"] }', 'setting header "Content-Type" is not allowed'],
		['tls_config {\n\t\t\tmin_version = "TLS9"\n\t\t}', 'unknown TLS version: TLS9'],
	])('refuses %s', async (client, message) => {
		const [told] = await load('http://modules.example/m', `\t\t${client}`)
		expect(told).toContain(message)
		expect(told).not.toContain('hidden')
	})
})

test.each([
	['example.com', 'http://example.com/', true],
	['example.com', 'http://www.Example.com/', true],
	['example.com', 'http://notexample.com/', false],
	['.example.com', 'http://example.com/', false],
	['*.example.com', 'http://a.b.example.com/', true],
	['example.com:8080', 'http://example.com/', false],
	['example.com:443', 'https://example.com/', true],
	['10.0.0.0/8', 'http://10.9.8.7/', true],
	['10.0.0.0/8', 'http://11.9.8.7/', false],
	['10.0.0.1', 'http://10.0.0.1:99/', true],
	['10.0.0.1:98', 'http://10.0.0.1:99/', false],
	['2001:DB8::1', 'http://[2001:db8:0:0::1]/', true],
	['[2001:db8::1]:80', 'http://[2001:db8::1]/', true],
	['2001:db8::/32', 'http://[2001:db8:1::2]/', true],
	[' , other , *', 'http://example.com/', true],
	['', 'http://localhost:1/', true],
	['', 'http://127.8.8.8/', true],
	['', 'http://[::1]/', true],
	['', 'http://localhost.example/', false],
])('no_proxy %j holds for %s: %s', (list, url, excepted) => {
	expect(parseNoProxy(list).excepts(new URL(url))).toBe(excepted)
})
