import type { Exchange } from '../model/exchange.ts'
import { isLoopback } from '../util/ip-address.ts'

/**
 * The two ends of one request on one host meet under this number. Not unique by itself (`sameRequest` decides), but both
 * ends compute the same: the request's sequence number with the client's port, or with the client's socket (unix).
 */
export function joinKey(exchange: Exchange): number {
	const isClient = exchange.role === 'client'
	if (exchange.family === 'unix') {
		const inode = isClient ? exchange.socketInode : exchange.peerSocketInode
		return -(inode * 1024 + (exchange.joinSequence & 1023)) - 1
	}
	return exchange.joinSequence * 65536 + (isClient ? exchange.localPort : exchange.remotePort)
}

/** Exact: same network namespace, reversed address pair, same request. */
export function sameRequest(client: Exchange, server: Exchange): boolean {
	if (client.netns !== server.netns || client.joinSequence !== server.joinSequence) return false
	if (client.family === 'unix' || server.family === 'unix') {
		return (
			client.family === server.family &&
			client.socketInode === server.peerSocketInode &&
			(client.peerSocketInode === 0 || client.peerSocketInode === server.socketInode)
		)
	}
	return (
		client.localPort === server.remotePort &&
		client.remotePort === server.localPort &&
		client.localAddress === server.remoteAddress &&
		client.remoteAddress === server.localAddress
	)
}

/** Addresses that are this host's own, learned from the local ends of its connections. */
export interface LocalAddresses {
	learn(exchange: Exchange): void
	/** Can the other end be on this host? A remote peer's spans need no waiting for a partner. */
	peerMayBeLocal(exchange: Exchange): boolean
}

const MOST_ADDRESSES = 4096

export function createLocalAddresses(): LocalAddresses {
	const known = new Set<string>()
	let last = ''
	return {
		learn({ localAddress }) {
			if (localAddress === last) return
			last = localAddress
			if (known.size < MOST_ADDRESSES) known.add(localAddress)
		},
		peerMayBeLocal: ({ family, localAddress, remoteAddress }) =>
			family === 'unix' ||
			remoteAddress === localAddress ||
			isLoopback(remoteAddress) ||
			known.has(remoteAddress),
	}
}
