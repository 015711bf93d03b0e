import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { makeCertificate } from '../helpers/certificates.ts'
import { eventually, serve } from './support.ts'
import { testGraph } from './test-components.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-oauth2-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close()
})

/** What the token endpoint was asked, and what it gives: a token by number, or a refusal. */
interface Asked {
	readonly authorization: string | undefined
	readonly form: Readonly<Record<string, string>>
}
let asked: Asked[] = []
let answer: (asked: Asked) => { status: number; type?: string; body: string }
const token = (more = ''): { status: number; body: string } => ({
	status: 200,
	body: `{"access_token":"t${asked.length}","token_type":"bearer"${more}}`,
})
beforeEach(() => {
	asked = []
	answer = () => token()
})

async function readForm(request: IncomingMessage): Promise<Asked['form']> {
	let text = ''
	for await (const part of request as AsyncIterable<Buffer>) text += part.toString()
	expect(request.method).toBe('POST')
	expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded')
	return Object.fromEntries(new URLSearchParams(text))
}

async function startEndpoint(tls?: { cert: string; key: string }): Promise<string> {
	const { url, close } = await serve(
		(request, response) => {
			void readForm(request).then((form) => {
				const one = { authorization: request.headers.authorization, form }
				asked.push(one)
				const { status, type = 'application/json', body } = answer(one)
				response.writeHead(status, { 'content-type': type }).end(body)
			})
		},
		tls === undefined ? undefined : (handler) => createSecureServer(tls, handler) as never,
	)
	closing.push(close)
	return tls === undefined ? url : url.replace('http:', 'https:')
}

/** A module server that remembers how it was asked; each answer is another module. */
async function startModules() {
	const seen: string[] = []
	const { url, close } = await serve((request, response) => {
		seen.push(String(request.headers.authorization))
		response.end(`declare "a" {\n\ttest.sink "k" { tag = "${seen.length}" }\n}\n`)
	})
	closing.push(close)
	return { url, seen }
}

const oauth2 = (url: string, lines: string): string =>
	`\tclient {\n\t\toauth2 {\n\t\t\tclient_id = "vor &1"\n\t\t\ttoken_url = "${url}"\n${lines}\n\t\t}\n\t}`

const logs: string[] = []
async function load(url: string, more: string) {
	const made = testGraph('generally-available', { log: (line) => void logs.push(line) })
	closing.push(() => made.graph.stop(1000))
	const text = `import.http "ns" {\n\turl = "${url}"\n\tpoll_frequency = "100ms"\n${more}\n}\nns.a "x" { }`
	const result = await made.load(text)
	return { ...made, again: () => made.load(text), errors: result.diagnostics.map(formatDiagnostic) }
}

describe('import.http with oauth2', () => {
	it('asks for a token once and shows it at every look until it ends', async () => {
		const modules = await startModules()
		const url = await startEndpoint()
		const secret =
			'\t\t\tclient_secret = "s3cr/et"\n\t\t\tscopes = ["a", "b"]\n\t\t\tendpoint_params = { "tenant" = "t" }'
		const { errors } = await load(modules.url, oauth2(url, secret))
		expect(errors).toEqual([])
		await eventually(() => modules.seen.length >= 3)
		expect(new Set(modules.seen)).toEqual(new Set(['Bearer t1']))
		expect(asked).toEqual([
			{
				authorization: `Basic ${Buffer.from('vor+%261:s3cr%2Fet').toString('base64')}`,
				form: { grant_type: 'client_credentials', scope: 'a b', tenant: 't' },
			},
		])
	})

	it('asks again when the token is about to end, and when the file holds another secret', async () => {
		const modules = await startModules()
		const url = await startEndpoint()
		answer = () => token(',"expires_in":11')
		const file = join(folder, 'secret')
		writeFileSync(file, 'one\n')
		const { errors } = await load(modules.url, oauth2(url, `\t\t\tclient_secret_file = "${file}"`))
		expect(errors).toEqual([])
		// Eleven seconds less the ten in which it is not used any more.
		await eventually(() => modules.seen.includes('Bearer t2'))
		answer = () => token(',"expires_in":"3600"')
		await eventually(() => modules.seen.includes('Bearer t3'))
		writeFileSync(file, 'two\n')
		await eventually(() => modules.seen.includes('Bearer t4'))
		const secrets = asked.map(({ authorization }) =>
			Buffer.from(authorization!.slice(6), 'base64').toString(),
		)
		expect(secrets).toEqual(['vor+%261:one', 'vor+%261:one', 'vor+%261:one', 'vor+%261:two'])
	})

	it('puts name and secret into the form where the server wants them there, and remembers that', async () => {
		const modules = await startModules()
		const url = await startEndpoint()
		answer = ({ authorization }) =>
			authorization === undefined
				? token(',"expires_in":1')
				: { status: 401, body: '{"error":"invalid_client"}' }
		const { errors } = await load(modules.url, oauth2(url, '\t\t\tclient_secret = "s"'))
		expect(errors).toEqual([])
		await eventually(() => asked.length >= 4)
		expect(asked.map(({ authorization }) => authorization === undefined)).toEqual(asked.map((_, i) => i > 0))
		expect(asked[1]!.form).toEqual({
			grant_type: 'client_credentials',
			client_id: 'vor &1',
			client_secret: 's',
		})
	})

	it('lets endpoint_params choose the grant_type, but neither the name and secret nor the scope', async () => {
		const modules = await startModules()
		const url = await startEndpoint()
		answer = ({ authorization }) =>
			authorization === undefined ? token() : { status: 401, body: '{"error":"invalid_client"}' }
		const secret = '\t\t\tclient_secret = "s"\n\t\t\tscopes = ["a"]\n\t\t\tendpoint_params = '
		const own = `${secret}{ "grant_type" = "custom", "client_id" = "other", "client_secret" = "other" }`
		expect((await load(modules.url, oauth2(url, own))).errors).toEqual([])
		expect(asked.at(-1)!.form).toEqual({
			grant_type: 'custom',
			scope: 'a',
			client_id: 'vor &1',
			client_secret: 's',
		})
		const { errors } = await load(modules.url, oauth2(url, `${secret}{ "scope" = "b" }`))
		expect(errors[0]).toContain(
			'oauth2: cannot fetch token: endpoint_params cannot overwrite parameter "scope"',
		)
	})

	it.each(['RS256', 'RS512'] as const)('signs what it asserts with its key: %s', async (algorithm) => {
		const modules = await startModules()
		const url = await startEndpoint()
		const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
		const file = join(folder, 'key.pem')
		writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
		const lines = `			grant_type                  = "urn:ietf:params:oauth:grant-type:jwt-bearer"
			client_certificate_key_file = "${file}"
			client_certificate_key_id   = "k1"
			signature_algorithm         = "${algorithm}"
			audience                    = "them"
			claims                      = { "tenant" = "x", "level" = 3 }
			scopes                      = ["s"]`
		const { errors } = await load(modules.url, oauth2(url, lines))
		expect(errors).toEqual([])
		expect(modules.seen[0]).toBe('Bearer t1')
		const { grant_type, assertion, ...rest } = asked[0]!.form
		expect([grant_type, rest, asked[0]!.authorization]).toEqual([
			'urn:ietf:params:oauth:grant-type:jwt-bearer',
			{},
			undefined,
		])
		const [head, claims, signature] = assertion!.split('.') as [string, string, string]
		const hash = algorithm.replace('RS', 'sha')
		const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
		expect(verify(hash, Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(
			true,
		)
		const open = (part: string): Record<string, unknown> =>
			JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
		expect(open(head)).toEqual({ alg: algorithm, kid: 'k1', typ: 'JWT' })
		const { iat, exp, jti, ...said } = open(claims)
		expect(said).toEqual({ iss: 'vor &1', sub: 'vor &1', aud: 'them', scope: 's', tenant: 'x', level: 3 })
		expect(Number(exp) - Number(iat)).toBe(600)
		expect(Math.abs(Number(iat) - Date.now() / 1000)).toBeLessThan(60)
		expect(jti).toMatch(/^[0-9a-f-]{36}$/)
	})

	it('checks the certificate of the token endpoint by its own tls_config', async () => {
		const modules = await startModules()
		const { cert, key } = makeCertificate(folder, 'token')
		const url = await startEndpoint({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') })
		const secret = '\t\t\tclient_secret = "s"\n'
		expect((await load(modules.url, oauth2(url, secret))).errors[0]).toMatch(
			/performing request: oauth2: cannot fetch token: self-signed certificate/,
		)
		const trusted = `${secret}\t\t\ttls_config {\n\t\t\t\tca_file = "${cert}"\n\t\t\t}`
		expect((await load(modules.url, oauth2(url, trusted))).errors).toEqual([])
		expect(modules.seen[0]).toBe('Bearer t1')
	})

	it.each([
		[
			'a refusal',
			400,
			'{"error":"invalid_scope","error_description":"s3cret"}',
			'400 Bad Request (invalid_scope)',
		],
		['a refusal that is no JSON', 403, 's3cret', '403 Forbidden'],
		['no token', 200, '{"token_type":"bearer"}', 'server response missing access_token'],
		['no JSON', 200, '<html>', 'the answer is no JSON object'],
	])('says what is wrong with %s, and never what was sent', async (_, status, body, message) => {
		const modules = await startModules()
		const url = await startEndpoint()
		answer = () => ({ status, body })
		logs.length = 0
		const { errors } = await load(modules.url, oauth2(url, '\t\t\tclient_secret = "s3cret"'))
		expect(errors[0]).toContain(`performing request: oauth2: cannot fetch token: ${message}`)
		expect(errors.join() + logs.join()).not.toContain('s3cret')
		expect(modules.seen).toEqual([])
	})

	it('takes a form as answer, and the kind of token it names', async () => {
		const modules = await startModules()
		const url = await startEndpoint()
		answer = () => ({
			status: 200,
			type: 'application/x-www-form-urlencoded',
			body: 'access_token=a%2Bb&token_type=Zone&expires_in=60',
		})
		expect((await load(modules.url, oauth2(url, '\t\t\tclient_secret = "s"'))).errors).toEqual([])
		expect(modules.seen[0]).toBe('Zone a+b')
	})

	it.each([
		['client_id = ""\n\t\t\tclient_secret = "s"', 'oauth2 client_id must be configured'],
		['client_secret = ""', 'either oauth2 client_secret or client_secret_file must be configured'],
		[
			'client_secret = "a"\n\t\t\tclient_secret_file = "b"',
			'at most one of oauth2 client_secret & client_secret_file must be configured',
		],
		['grant_type = "password"', 'unsupported oauth2 grant_type "password"'],
		[
			'grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"',
			'either oauth2 client_certificate_key or client_certificate_key_file must be configured',
		],
		[
			'client_secret = "s"\n\t\t\tno_proxy = "x"',
			'if no_proxy is configured, proxy_url must also be configured',
		],
	])('refuses %s', async (lines, message) => {
		const block = lines.startsWith('client_id')
			? `\tclient {\n\t\toauth2 {\n\t\t\ttoken_url = "http://127.0.0.1:1"\n\t\t\t${lines}\n\t\t}\n\t}`
			: oauth2('http://127.0.0.1:1', `\t\t\t${lines}`)
		expect((await load('http://127.0.0.1:1', block)).errors[0]).toContain(message)
	})
})
