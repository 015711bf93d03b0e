import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { HttpClientArgs } from './http-client-args.ts'
import { type Fetched, type ImportRequest, maxModuleBytes } from './import-source.ts'

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
	const tls = await tlsOptions(request.client.tls_config)
	const secrets = await credentials(request.client)
	let url = first
	let { method, body } = request
	for (let hops = 0; ; hops++) {
		const headers = {
			'user-agent': 'vor',
			...lowerCase(request.headers),
			...(url.host === first.host ? secrets : {}),
			...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
		}
		const response = await send(url, { ...tls, method, headers, signal }, body)
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

function send(url: URL, options: RequestOptions, body: string): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		const make = url.protocol === 'https:' ? httpsRequest : httpRequest
		const request = make(url, { ...options, agent: false }, resolve)
		request.on('error', (reason) =>
			reject(new Error(`performing request: ${reason.message}`, { cause: reason })),
		)
		request.end(body === '' ? undefined : body)
	})
}

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

async function credentials(client: HttpClientArgs): Promise<Record<string, string | string[]>> {
	const out: Record<string, string | string[]> = {}
	for (const [name, values] of Object.entries(client.http_headers))
		out[name.toLowerCase()] = values.map((value) => value.reveal())
	const { basic_auth: basic, authorization } = client
	if (basic !== undefined) {
		const password = await secretOrFile(basic.password.reveal(), basic.password_file)
		out['authorization'] = `Basic ${Buffer.from(`${basic.username}:${password}`).toString('base64')}`
	} else if (authorization !== undefined) {
		const text = await secretOrFile(authorization.credentials.reveal(), authorization.credentials_file)
		out['authorization'] = `${authorization.type.trim()} ${text}`
	} else {
		const token = await secretOrFile(client.bearer_token.reveal(), client.bearer_token_file)
		if (token !== '') out['authorization'] = `Bearer ${token}`
	}
	return out
}

const secretOrFile = async (text: string, file: string): Promise<string> =>
	file === '' ? text : (await readFile(file, 'utf8')).trim()

async function tlsOptions(tls: HttpClientArgs['tls_config']): Promise<RequestOptions> {
	const pemOrFile = async (pem: string, file: string): Promise<string | undefined> =>
		pem !== '' ? pem : file === '' ? undefined : readFile(file, 'utf8')
	const ca = await pemOrFile(tls.ca_pem, tls.ca_file)
	const cert = await pemOrFile(tls.cert_pem, tls.cert_file)
	const key = await pemOrFile(tls.key_pem.reveal(), tls.key_file)
	const minVersion = tlsVersions.get(tls.min_version)
	return {
		rejectUnauthorized: !tls.insecure_skip_verify,
		...(ca === undefined ? {} : { ca }),
		...(cert === undefined ? {} : { cert }),
		...(key === undefined ? {} : { key }),
		...(tls.server_name === '' ? {} : { servername: tls.server_name }),
		...(minVersion === undefined ? {} : { minVersion }),
	}
}

const tlsVersions = new Map([
	['TLS10', 'TLSv1'],
	['TLS11', 'TLSv1.1'],
	['TLS12', 'TLSv1.2'],
	['TLS13', 'TLSv1.3'],
] as const) as ReadonlyMap<string, 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>
