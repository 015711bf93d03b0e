import type { Exchange } from '../model/exchange.ts'

/**
 * Connections whose client end is not traced (a rejected process on this host): a server span of theirs waited in vain a
 * short time ago, and no client span of theirs was seen since. Waiting again would only hold memory, one hold of all requests.
 * Forgotten after some seconds, so that one request now and then waits and finds a client that is traced by now.
 */
export interface Solitary {
	/** A server span of this connection found no client end within the hold. */
	add(server: Exchange): void
	has(server: Exchange): boolean
	/** A client span of the connection was seen. */
	remove(client: Exchange): void
	advance(timeNs: number): void
}

const GENERATION_NS = 5e9
/** Connections of one generation; those beyond wait as before. */
const MOST = 32_768

export function createSolitary(): Solitary {
	let young = new Set<number>()
	let old = new Set<number>()
	let youngSinceNs = 0
	return {
		add(server) {
			const key = connectionKey(server)
			if (key !== 0 && young.size < MOST) young.add(key)
		},
		has(server) {
			if (young.size === 0 && old.size === 0) return false
			const key = connectionKey(server)
			return young.has(key) || old.has(key)
		},
		remove(client) {
			if (young.size === 0 && old.size === 0) return
			const key = connectionKey(client)
			young.delete(key)
			old.delete(key)
		},
		advance(timeNs) {
			if (timeNs - youngSinceNs < GENERATION_NS) return
			const free = old
			free.clear()
			old = young
			young = free
			youngSinceNs = timeNs
		},
	}
}

/**
 * Both ends compute the same number; 0 = not known. Two connections share one only with the same two ports in network
 * namespaces or between addresses that differ: then a join is missed, never made wrongly.
 */
function connectionKey(exchange: Exchange): number {
	const isClient = exchange.role === 'client'
	if (exchange.family === 'unix') return -(isClient ? exchange.socketInode : exchange.peerSocketInode)
	const [client, server] = isClient
		? [exchange.localPort, exchange.remotePort]
		: [exchange.remotePort, exchange.localPort]
	return (exchange.netns % 2_097_152) * 4_294_967_296 + client * 65_536 + server
}
