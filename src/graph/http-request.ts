import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls'
import type { ProxyRoute } from './http-proxy.ts'

export interface HttpRequest {
	readonly url: URL
	readonly method: string
	readonly headers: OutgoingHttpHeaders
	/** '' = none. */
	readonly body: string
	/** For the server, and for a proxy that speaks TLS. */
	readonly tls: ConnectionOptions
	readonly proxy: ProxyRoute | undefined
	readonly signal: AbortSignal
}

/** One request on a connection of its own, through the proxy if there is one. Node's own client does all of it. */
export async function sendRequest(request: HttpRequest): Promise<IncomingMessage> {
	const { url, method, headers, tls, proxy, signal } = request
	const secure = url.protocol === 'https:'
	if (proxy === undefined)
		return exchange(secure, url, { ...tls, agent: false, method, headers, signal }, request.body)
	if (secure) {
		const tunnel = await openTunnel(proxy, url, tls, signal)
		const over = { ...nameOf(url), ...tls, socket: tunnel }
		const options = { method, headers, signal, createConnection: () => tlsConnect(over) }
		return exchange(true, url, options, request.body)
	}
	const login = proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }
	const options = {
		...nameOf(proxy.url),
		...tls,
		method,
		// A proxy is asked for the whole address.
		path: url.href.slice(0, url.href.length - url.hash.length),
		headers: { ...headers, ...login, host: url.host },
		agent: false,
		signal,
	}
	return exchange(proxy.url.protocol === 'https:', proxy.url, options, request.body)
}

function exchange(secure: boolean, to: URL, options: RequestOptions, body: string): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		const make = secure ? httpsRequest : httpRequest
		const request = make(withoutLogin(to), options, resolve)
		request.on('error', (reason) => reject(requestError(reason.message, reason)))
		request.end(body === '' ? undefined : body)
	})
}

/** Node would send it as `Authorization`, to whomever the request goes. */
function withoutLogin(url: URL): URL {
	const bare = new URL(url)
	bare.username = bare.password = ''
	return bare
}

/** A connection to `target` that the proxy hands through unread. */
function openTunnel(
	proxy: ProxyRoute,
	target: URL,
	tls: ConnectionOptions,
	signal: AbortSignal,
): Promise<Socket> {
	const secure = proxy.url.protocol === 'https:'
	const authority = `${target.hostname}:${target.port === '' ? 443 : target.port}`
	const name = proxy.url.host
	return new Promise((resolve, reject) => {
		const request = (secure ? httpsRequest : httpRequest)(withoutLogin(proxy.url), {
			...nameOf(proxy.url),
			...tls,
			agent: false,
			method: 'CONNECT',
			path: authority,
			headers: {
				...Object.fromEntries(
					Object.entries(proxy.connectHeaders).map(([key, values]) => [key, [...values]]),
				),
				...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
				host: authority,
			},
			signal,
		})
		request.on('connect', (response, socket, head) => {
			if (response.statusCode !== 200) {
				socket.destroy()
				const said = `${response.statusCode} ${response.statusMessage ?? ''}`.trimEnd()
				reject(requestError(`proxy ${name} refused the tunnel to ${authority}: ${said}`))
				return
			}
			if (head.length > 0) socket.unshift(head)
			resolve(socket)
		})
		request.on('error', (reason) => reject(requestError(`proxy ${name}: ${reason.message}`, reason)))
		request.end()
	})
}

const requestError = (message: string, cause?: unknown): Error =>
	new Error(`performing request: ${message}`, cause === undefined ? undefined : { cause })

/**
 * Whose certificate is expected: Node would take the Host header's. `servername` is empty for an address: such a certificate
 * names the address itself.
 */
function nameOf({ hostname }: URL): { readonly host: string; readonly servername: string } {
	const host = hostname.replace(/^\[|\]$/g, '')
	return { host, servername: isIP(host) === 0 ? host : '' }
}
