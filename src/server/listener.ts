import {
	createServer,
	type ServerOptions as HttpOptions,
	type Server as PlainServer,
	type RequestListener,
} from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import { createServer as createSocketServer, type Server, type Socket } from 'node:net'
import type { ServerTls } from './server-tls.ts'

/** One listening socket that speaks HTTP in plain or over TLS, whichever is in force when a connection comes. */
export interface Listener {
	/** For the caller to bind. */
	readonly sockets: Server
	/** Answers what is under way, for at most `patienceMs`, and ends. Safe twice. */
	close(patienceMs: number): Promise<void>
}

/** A client that neither shakes hands nor hangs up holds its place among the connections this long. */
const handshakeMs = 10_000

/** `tls` is asked at every connection: the same object as long as nothing changes. */
export function createListener(
	limits: HttpOptions,
	answer: RequestListener,
	tls: () => ServerTls | undefined,
): Listener {
	const plain = createServer(limits, answer)
	watchConnections(plain)
	let secure: { readonly tls: ServerTls; readonly server: SecureServer } | undefined
	/** All of them, also those that no HTTP server knows yet: in the middle of a handshake. */
	const open = new Set<Socket>()
	const sockets = createSocketServer((socket) => {
		open.add(socket)
		socket.once('close', () => open.delete(socket))
		const current = tls()
		if (current === undefined) {
			plain.emit('connection', socket)
			return
		}
		if (secure?.tls !== current) {
			if (secure !== undefined) retire(secure.server)
			secure = { tls: current, server: secureServer(limits, answer, current) }
		}
		secure.server.emit('connection', socket)
	})
	return {
		sockets,
		close: (patienceMs) =>
			new Promise((resolve) => {
				if (!sockets.listening) {
					resolve()
					return
				}
				const patience = setTimeout(() => {
					for (const socket of open) socket.destroy()
				}, patienceMs)
				sockets.close(() => {
					clearTimeout(patience)
					resolve()
				})
				retire(plain)
				if (secure !== undefined) retire(secure.server)
			}),
	}
}

function secureServer(limits: HttpOptions, answer: RequestListener, tls: ServerTls): SecureServer {
	const server = createSecureServer({ ...limits, handshakeTimeout: handshakeMs, ...tls.options }, answer)
	watchConnections(server)
	// A client that does not speak TLS, or has no certificate, is its own business.
	server.on('tlsClientError', (_error, refused) => refused.destroy())
	server.prependListener('secureConnection', (socket) => {
		if (!tls.accepts(socket)) socket.destroy()
	})
	return server
}

/** It never listens itself; without this it would watch neither time-outs nor open connections. */
const watchConnections = (server: PlainServer | SecureServer): void => void server.emit('listening')

/** Idle connections end now, the others with their answers. Not listening, it has nothing else to close. */
const retire = (server: PlainServer | SecureServer): void => void server.close(() => {})
