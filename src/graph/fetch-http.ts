import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { HttpClientArgs } from './http-client-args.ts'
import { proxyFor } from './http-proxy.ts'
import { sendRequest } from './http-request.ts'
import { clientTlsOptions } from './http-tls.ts'
import { type Fetched, type ImportRequest, maxModuleBytes } from './import-source.ts'
import { TokenSource } from './oauth2-token.ts'

type HttpRequest = Extract<ImportRequest, { kind: 'import.http' }>

/** As Go's client. */
const maxRedirects = 10

/** The module at a URL. Credentials go only to the host that was named, not to where it redirects. */
export async function fetchHttp(request: HttpRequest, ending: AbortSignal | undefined): Promise<Fetched> {
	const timeout = AbortSignal.timeout(request.timeoutMs)
	const signal = ending === undefined ? timeout : AbortSignal.any([timeout, ending])
	try {
		const text = await follow(request, signal)
		return {
			files: [{ name: request.url, text: text.trim() }],
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
		const headers = {
			'user-agent': 'vor',
			...lowerCase(request.headers),
			...(url.host === first.host ? secrets : {}),
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
		return readBody(response, request.url)
	}
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
	Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

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
		out['authorization'] = `Basic ${Buffer.from(`${basic.username}:${password}`).toString('base64')}`
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
