import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { fromNative } from '../eval/native.ts'
import { encodeJson } from '../eval/stdlib/json-encode.ts'
import { ObjectValue } from '../eval/values.ts'
import { type HttpClientArgs, jwtBearerGrant } from './http-client-args.ts'
import { proxyFor } from './http-proxy.ts'
import { sendRequest } from './http-request.ts'
import { clientTlsOptions } from './http-tls.ts'

type OAuth2Args = NonNullable<HttpClientArgs['oauth2']>

/** A token is not used in the last moments of its life: it must still hold when the request arrives. */
const earlyMs = 10_000
/** What is asserted of oneself holds this long. */
const assertionSeconds = 600
const maxAnswerBytes = 1024 * 1024

interface Token {
	readonly header: string
	/** Of `performance.now`. */
	readonly endsAt: number
}

/** Fetches a token when there is none that still holds. One per `oauth2` block; lives as long as its arguments. */
export class TokenSource {
	readonly #args: OAuth2Args
	#token: Token | undefined
	/** The secret that the token was given for: a file may hold another one by now. */
	#secret = ''
	/** How this server wants the client's name and secret; found out with the first token. */
	#secretInBody: boolean | undefined

	constructor(args: OAuth2Args) {
		this.#args = args
	}

	/** Text of the `Authorization` header. */
	async authorization(signal: AbortSignal): Promise<string> {
		const secret = await this.#readSecret()
		if (this.#token === undefined || this.#token.endsAt <= performance.now() || this.#secret !== secret) {
			this.#token = await this.#fetch(secret, signal)
			this.#secret = secret
		}
		return this.#token.header
	}

	async #readSecret(): Promise<string> {
		const args = this.#args
		const [text, file] =
			args.grant_type === jwtBearerGrant
				? [args.client_certificate_key, args.client_certificate_key_file]
				: [args.client_secret, args.client_secret_file]
		if (file === '') return text.reveal()
		return readFile(file, 'utf8').then(
			(read) => read.trim(),
			(reason: Error) => {
				throw tokenError(reason.message, reason)
			},
		)
	}

	async #fetch(secret: string, signal: AbortSignal): Promise<Token> {
		const args = this.#args
		const form = new URLSearchParams({ grant_type: args.grant_type })
		if (args.grant_type === jwtBearerGrant) {
			form.set('assertion', assertion(args, secret))
			addParameters(form, args.endpoint_params)
			return this.#ask(form, undefined, signal)
		}
		if (args.scopes.length > 0) form.set('scope', args.scopes.join(' '))
		addParameters(form, args.endpoint_params)
		if (this.#secretInBody !== true) {
			try {
				const token = await this.#ask(form, secret, signal)
				this.#secretInBody = false
				return token
			} catch (reason) {
				// A server that wants them elsewhere refuses them in the header (RFC 6749, 2.3.1).
				if (this.#secretInBody === false || !(reason instanceof Refusal)) throw reason
			}
		}
		form.set('client_id', args.client_id)
		form.set('client_secret', secret)
		const token = await this.#ask(form, undefined, signal)
		this.#secretInBody = true
		return token
	}

	/** With `secret` in the header, or with everything in the form. */
	async #ask(form: URLSearchParams, secret: string | undefined, signal: AbortSignal): Promise<Token> {
		const args = this.#args
		const body = form.toString()
		const url = URL.canParse(args.token_url) ? new URL(args.token_url) : undefined
		if (url === undefined || !/^https?:$/.test(url.protocol)) throw tokenError('token_url is no http(s) URL')
		const response = await sendRequest({
			url,
			method: 'POST',
			headers: {
				'user-agent': 'vor',
				accept: 'application/json',
				'content-type': 'application/x-www-form-urlencoded',
				'content-length': String(Buffer.byteLength(body)),
				...(secret === undefined ? {} : { authorization: basic(args.client_id, secret) }),
			},
			body,
			tls: args.tls_config === undefined ? {} : await clientTlsOptions(args.tls_config),
			proxy: proxyFor(url, args),
			signal,
		}).catch((reason: Error) => {
			throw tokenError(reason.message.replace(/^performing request: /, ''), reason)
		})
		return readToken(response)
	}
}

/** As in Go's client `grant_type` may be another one, for servers that want that; the client's name and secret are its own. */
function addParameters(form: URLSearchParams, more: Readonly<Record<string, string>>): void {
	for (const [name, value] of Object.entries(more)) {
		if (form.has(name) && name !== 'grant_type')
			throw tokenError(`endpoint_params cannot overwrite parameter ${JSON.stringify(name)}`)
		form.set(name, value)
	}
}

/** The server answered, and gave no token. */
class Refusal extends Error {}

const tokenError = (message: string, cause?: unknown): Error =>
	new Error(
		`performing request: oauth2: cannot fetch token: ${message}`,
		cause === undefined ? undefined : { cause },
	)

/** Both parts are form-encoded first (RFC 6749, 2.3.1). */
function basic(id: string, secret: string): string {
	const encoded = [id, secret].map((text) => new URLSearchParams([['', text]]).toString().slice(1))
	return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`
}

async function readToken(response: IncomingMessage): Promise<Token> {
	const parts: Buffer[] = []
	let size = 0
	for await (const part of response as AsyncIterable<Buffer>) {
		size += part.length
		if (size > maxAnswerBytes) throw tokenError('the answer is too long')
		parts.push(part)
	}
	const fields = readFields(Buffer.concat(parts).toString('utf8'), response.headers['content-type'] ?? '')
	const status = response.statusCode ?? 0
	if (status < 200 || status > 299) {
		// Its code is a word of the standard; what else a server says may hold what it was sent.
		const code = String(fields?.['error'] ?? '')
		const said = `${status} ${response.statusMessage ?? ''}`.trimEnd()
		throw new Refusal(tokenError(/^[a-z_]{1,64}$/.test(code) ? `${said} (${code})` : said).message)
	}
	if (fields === undefined) throw tokenError('the answer is no JSON object')
	const token = fields['access_token']
	if (typeof token !== 'string' || token === '') throw tokenError('server response missing access_token')
	const seconds = Number(fields['expires_in'] ?? 0)
	return {
		header: `${schemeOf(String(fields['token_type'] ?? ''))} ${token}`,
		endsAt: seconds > 0 ? performance.now() + seconds * 1000 - earlyMs : Number.POSITIVE_INFINITY,
	}
}

function readFields(text: string, contentType: string): Readonly<Record<string, unknown>> | undefined {
	if (/^(application\/x-www-form-urlencoded|text\/plain)\b/.test(contentType) && !text.startsWith('{'))
		return Object.fromEntries(new URLSearchParams(text))
	try {
		const data: unknown = JSON.parse(text)
		return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined
	} catch {
		return undefined
	}
}

/** Servers write `bearer` in every case; those that check the header do not all ignore it. */
function schemeOf(type: string): string {
	const known = ['Bearer', 'MAC', 'Basic'].find((name) => name.toLowerCase() === type.toLowerCase())
	return known ?? (type === '' ? 'Bearer' : type)
}

const hashes: Readonly<Record<string, string>> = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512' }

/** A signed statement of who asks, for whom and for what (RFC 7523). */
function assertion(args: OAuth2Args, key: string): string {
	const hash = hashes[args.signature_algorithm]
	if (hash === undefined)
		throw tokenError(
			`signature_algorithm ${JSON.stringify(args.signature_algorithm)} is none of ${Object.keys(hashes).join(', ')}`,
		)
	const header = {
		alg: args.signature_algorithm,
		...(args.client_certificate_key_id === '' ? {} : { kid: args.client_certificate_key_id }),
		typ: 'JWT',
	}
	const now = Math.floor(Date.now() / 1000)
	const claims = fromNative({
		iss: args.iss === '' ? args.client_id : args.iss,
		sub: args.client_id,
		jti: randomUUID(),
		aud: args.audience === '' ? args.token_url : args.audience,
		iat: now,
		exp: now + assertionSeconds,
		...(args.scopes.length === 0 ? {} : { scope: args.scopes.join(' ') }),
	}) as ObjectValue
	const all = new ObjectValue(new Map([...claims.fields, ...Object.entries(args.claims)]))
	const text = [JSON.stringify(header), encodeJson(all)].map((part) =>
		Buffer.from(part).toString('base64url'),
	)
	const signed = text.join('.')
	try {
		return `${signed}.${sign(hash, Buffer.from(signed), createPrivateKey(key)).toString('base64url')}`
	} catch (reason) {
		throw tokenError(`client_certificate_key: ${(reason as Error).message}`, reason)
	}
}
