import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { Logger } from '../telemetry/log.ts'
import { VorError } from '../util/errors.ts'
import { type Authentication, isAllowed } from './authentication.ts'
import { formatHostPort, isLocalHostHeader, isLoopback, type ListenAddress } from './listen-address.ts'
import { createListener } from './listener.ts'
import { notFound, reply } from './replies.ts'
import { createRoutes, type ServerSources } from './routes.ts'
import type { ServerTls } from './server-tls.ts'

export interface ServerOptions {
	/** Default of `vor run`: 127.0.0.1:12345. */
	readonly listen: ListenAddress
	readonly log: Logger
	readonly sources: ServerSources
	/** Who may ask, now; undefined: anybody. */
	readonly authentication?: () => Authentication | undefined
	/** TLS for connections from now on; undefined: none. The same object as long as nothing changes. */
	readonly tls?: () => ServerTls | undefined
}

export interface HttpServer {
	/** What the kernel gave; the port is never 0. */
	readonly address: ListenAddress
	/** `http://127.0.0.1:12345` */
	readonly url: string
	/** Answers what is under way, for at most a second, and ends. Safe twice. */
	close(): Promise<void>
}

/** No endpoint takes a body; what a client sends beyond this is not read but cut off. */
const maxBodyBytes = 64 * 1024
const maxConnections = 256
/** How long answers that are under way may take at the end. */
const patienceMs = 1000

/** Starts to listen, or throws E_ADDRESS_IN_USE, E_PRIVILEGE or E_USAGE with the fix. */
export async function startHttpServer(options: ServerOptions): Promise<HttpServer> {
	const { listen, log, sources } = options
	const localOnly = isLoopback(listen.host)
	const routeOf = createRoutes(sources, log)

	const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		response.setHeader('x-content-type-options', 'nosniff')
		limitBody(request, response)
		if (localOnly && !isLocalHostHeader(request.headers.host)) {
			reply(response, 403, 'this address answers only to an IP address or localhost as host\n')
			return
		}
		const path = pathOf(request.url)
		if (!isAllowed(options.authentication?.(), request, path ?? '/')) {
			response.setHeader('www-authenticate', 'Basic realm="Restricted"')
			reply(response, 401, 'Unauthorized\n')
			return
		}
		const route = path === undefined ? undefined : routeOf(path)
		if (route === undefined || path === undefined) notFound(response)
		else await route(request, response, path)
	}

	const limits = {
		maxHeaderSize: 16 * 1024,
		requestTimeout: 10_000,
		headersTimeout: 10_000,
		keepAliveTimeout: 5_000,
	}
	const answer = (request: IncomingMessage, response: ServerResponse): void => {
		handle(request, response).catch((reason: unknown) => {
			const message = VorError.from(reason).message
			// A scraper that hung up is its own business.
			if (!response.destroyed) log.error('request failed', { service: 'http', err: message })
			if (response.headersSent) response.destroy()
			else reply(response, 500, `${message}\n`)
		})
	}
	// The file says only after it is loaded, and again at each reload, whether there is TLS.
	const listener = createListener(limits, answer, () => options.tls?.())
	const server = listener.sockets
	server.maxConnections = maxConnections
	const address = await listenOn(server, listen)
	server.on('error', (error) => log.error('http server', { service: 'http', err: error }))
	const url = `http://${formatHostPort(urlHost(address.host), address.port)}`
	log.info('now listening for http traffic', {
		service: 'http',
		addr: formatHostPort(address.host, address.port),
	})
	return { address, url, close: () => listener.close(patienceMs) }
}

/** Decoded path without query; undefined when the escapes are broken. */
function pathOf(url: string | undefined): string | undefined {
	const raw = (url ?? '/').split('?', 1)[0]!
	try {
		return decodeURIComponent(raw)
	} catch {
		return undefined
	}
}

function limitBody(request: IncomingMessage, response: ServerResponse): void {
	if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) {
		response.setHeader('connection', 'close')
		response.on('finish', () => request.destroy())
		return
	}
	let read = 0
	request.on('data', (chunk: Buffer) => {
		read += chunk.length
		if (read > maxBodyBytes) request.destroy()
	})
}

function urlHost(host: string): string {
	if (host === '::' || host === '0.0.0.0') return '127.0.0.1'
	return host
}

function listenOn(server: Server, listen: ListenAddress): Promise<ListenAddress> {
	return new Promise((resolve, reject) => {
		server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, listen)))
		const host = listen.host === '' ? {} : { host: listen.host }
		server.listen({ ...host, port: listen.port }, () => {
			server.removeAllListeners('error')
			const { address, port } = server.address() as AddressInfo
			resolve({ host: address, port })
		})
	})
}

function listenError(error: NodeJS.ErrnoException, { host, port }: ListenAddress): VorError {
	const where = formatHostPort(host, port)
	switch (error.code) {
		case 'EADDRINUSE':
			return new VorError('E_ADDRESS_IN_USE', `cannot listen on ${where}: another program listens there`, {
				fix: `see which with "ss -ltnp 'sport = :${port}'", or use another address: --server.http.listen-addr=${formatHostPort(host, port === 65_535 ? port - 1 : port + 1)}`,
				cause: error,
			})
		case 'EACCES':
			return new VorError('E_PRIVILEGE', `cannot listen on ${where}: ports below 1024 need a privilege`, {
				fix: '--server.http.listen-addr=127.0.0.1:12345',
				cause: error,
			})
		default:
			return new VorError('E_USAGE', `cannot listen on ${where}: ${error.message}`, {
				fix: '--server.http.listen-addr=127.0.0.1:12345',
				cause: error,
			})
	}
}
