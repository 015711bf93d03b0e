import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { hideLogin } from '../util/hide-login.ts'
import type { HttpClientArgs } from './http-client-args.ts'
import { proxyFor } from './http-proxy.ts'
import { sendRequest } from './http-request.ts'
import { clientTlsOptions } from './http-tls.ts'
import { type Fetched, type ImportRequest, maxModuleBytes } from './import-source.ts'
import { TokenSource } from './oauth2-token.ts'

type HttpRequest = Extract<ImportRequest, { kind: 'import.http' }>

/** As Go's client. */
const maxRedirects = 10

/** Of the headers that the user names, those that say who asks. */
const ownHeaders = new Set(['authorization', 'cookie', 'cookie2', 'proxy-authorization', 'www-authenticate'])

/** The module at a URL. Credentials go only to the host that was named, not to where it redirects, and never from TLS to plain. */
export async function fetchHttp(request: HttpRequest, ending: AbortSignal | undefined): Promise<Fetched> {
	const timeout = AbortSignal.timeout(request.timeoutMs)
	const signal = ending === undefined ? timeout : AbortSignal.any([timeout, ending])
	try {
		const text = await follow(request, signal)
		return {
			files: [{ name: hideLogin(request.url), text: text.trim() }],
			modulePath: request.url.slice(0, request.url.lastIndexOf('/') + 1),
		}
	} catch (reason) {
		if (timeout.aborted)
			throw new Error(`performing request: no answer within ${request.timeoutMs} ms`, { cause: reason })
		throw reason
	}
}

async function follow(request: HttpRequest, signal: AbortSignal): Promise<string> {
	const first = new URL(request.url)
	const tls = await clientTlsOptions(request.client.tls_config)
	const secrets = await credentials(request.client, signal)
	let url = first
	let { method, body } = request
	for (let hops = 0; ; hops++) {
		const trusted = url.host === first.host && (url.protocol === first.protocol || url.protocol === 'https:')
		const headers = {
			'user-agent': 'vor',
			...named(request.headers, trusted),
			...(trusted ? secrets : {}),
			...loginOf(url),
			...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
		}
		const proxy = proxyFor(url, request.client)
		const response = await sendRequest({ url, method, headers, body, tls, proxy, signal })
		const status = response.statusCode ?? 0
		const location = response.headers.location
		const redirects = [301, 302, 303, 307, 308].includes(status) && location !== undefined
		if (redirects && request.client.follow_redirects) {
			response.destroy()
			if (hops >= maxRedirects) throw new Error(`performing request: stopped after ${maxRedirects} redirects`)
			url = new URL(location, url)
			if (url.protocol !== 'http:' && url.protocol !== 'https:')
				throw new Error(`performing request: unsupported protocol scheme "${url.protocol.slice(0, -1)}"`)
			if (status <= 303 && method !== 'HEAD') {
				method = 'GET'
				body = ''
			}
			continue
		}
		if (status !== 200) {
			response.destroy()
			throw new Error(`unexpected status code ${status} ${response.statusMessage ?? ''}`.trimEnd())
		}
		return readBody(response, hideLogin(request.url))
	}
}

const named = (headers: Readonly<Record<string, string>>, trusted: boolean): Record<string, string> =>
	Object.fromEntries(
		Object.entries(headers)
			.map(([name, value]) => [name.toLowerCase(), value] as const)
			.filter(([name]) => trusted || !ownHeaders.has(name)),
	)

/** As Go's client, the user and password of an address are shown to its host, and win. */
function loginOf({ username, password }: URL): { readonly authorization?: string } {
	if (username === '' && password === '') return {}
	return { authorization: basicLogin(decodeLogin(username), decodeLogin(password)) }
}

function decodeLogin(text: string): string {
	try {
		return decodeURIComponent(text)
	} catch {
		throw new Error('performing request: user and password in url must be percent-encoded')
	}
}

const basicLogin = (user: string, password: string): string =>
	`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

async function readBody(response: IncomingMessage, url: string): Promise<string> {
	const parts: Buffer[] = []
	let size = 0
	for await (const part of response as AsyncIterable<Buffer>) {
		size += part.length
		if (size > maxModuleBytes) throw new Error(`the module at ${url} is larger than ${maxModuleBytes} bytes`)
		parts.push(part)
	}
	return Buffer.concat(parts).toString('utf8')
}

/** Tokens hold longer than one look; equal arguments of a later configuration fetch one of their own. */
const tokens = new WeakMap<object, TokenSource>()

function tokenSource(args: NonNullable<HttpClientArgs['oauth2']>): TokenSource {
	const source = tokens.get(args) ?? new TokenSource(args)
	tokens.set(args, source)
	return source
}

async function credentials(
	client: HttpClientArgs,
	signal: AbortSignal,
): Promise<Record<string, string | string[]>> {
	const out: Record<string, string | string[]> = {}
	for (const [name, values] of Object.entries(client.http_headers))
		out[name.toLowerCase()] = values.map((value) => value.reveal())
	const { basic_auth: basic, authorization, oauth2 } = client
	if (basic !== undefined) {
		const password = await secretOrFile(basic.password.reveal(), basic.password_file)
		out['authorization'] = basicLogin(basic.username, password)
	} else if (authorization !== undefined) {
		const text = await secretOrFile(authorization.credentials.reveal(), authorization.credentials_file)
		out['authorization'] = `${authorization.type.trim()} ${text}`
	} else if (oauth2 !== undefined) {
		out['authorization'] = await tokenSource(oauth2).authorization(signal)
	} else {
		const token = await secretOrFile(client.bearer_token.reveal(), client.bearer_token_file)
		if (token !== '') out['authorization'] = `Bearer ${token}`
	}
	return out
}

const secretOrFile = async (text: string, file: string): Promise<string> =>
	file === '' ? text : (await readFile(file, 'utf8')).trim()
