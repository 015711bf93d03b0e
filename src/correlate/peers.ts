import type { Exchange } from '../model/exchange.ts'
import type { ProcessEntry } from './process-table.ts'

/**
 * Which local service answers at an address. Learned from the server sides of exchanges only (same network namespace,
 * same address and port), so that a name is never guessed from a port number. Two services at one endpoint: no name.
 */
export interface PeerTable {
	learn(exchange: Exchange, entry: ProcessEntry): void
	/** `service.name` of the process that serves this client's remote end, '' = not known. */
	serviceOf(exchange: Exchange): string
}

interface Endpoint {
	readonly netns: number
	readonly address: string
	entry: ProcessEntry
	ambiguous: boolean
}

/** Endpoints per port and ports: far above what one host serves, far below what would hurt. */
const PER_PORT = 64
const PORTS = 4096

export function createPeerTable(): PeerTable {
	const byPort = new Map<number, Endpoint[]>()

	function find(netns: number, address: string, port: number): Endpoint | undefined {
		const endpoints = byPort.get(port)
		if (endpoints === undefined) return undefined
		for (let i = 0; i < endpoints.length; i++) {
			const endpoint = endpoints[i]!
			if (endpoint.netns === netns && endpoint.address === address) return endpoint
		}
		return undefined
	}

	return {
		learn(exchange, entry) {
			if (exchange.family === 'unix') return
			const known = find(exchange.netns, exchange.localAddress, exchange.localPort)
			if (known !== undefined) {
				if (known.entry === entry) return
				const alive = known.entry.fact.exitNs === 0
				const sameName = known.entry.fact.serviceName === entry.fact.serviceName
				known.ambiguous = alive && !sameName
				known.entry = entry
				return
			}
			let endpoints = byPort.get(exchange.localPort)
			if (endpoints === undefined) {
				if (byPort.size >= PORTS) byPort.delete(byPort.keys().next().value!)
				endpoints = []
				byPort.set(exchange.localPort, endpoints)
			}
			if (endpoints.length >= PER_PORT) endpoints.shift()
			endpoints.push({
				netns: exchange.netns,
				address: exchange.localAddress,
				entry,
				ambiguous: false,
			})
		},
		serviceOf(exchange) {
			if (exchange.family === 'unix') return ''
			const endpoint = find(exchange.netns, exchange.remoteAddress, exchange.remotePort)
			if (endpoint === undefined || endpoint.ambiguous || endpoint.entry.provisional) return ''
			return endpoint.entry.fact.exitNs === 0 ? endpoint.entry.fact.serviceName : ''
		},
	}
}
