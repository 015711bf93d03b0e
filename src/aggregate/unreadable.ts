import type { UnreadableConnection } from '../model/exchange.ts'

/** Connections of one service that could not be read, since the start. */
export interface UnreadableCount {
	readonly service: string
	readonly protocol: UnreadableConnection['protocol']
	connections: number
}

/** Services counted apart; the rest share one name. */
const SERVICES = 4096
const REST = '_other'

export function createUnreadable(): {
	/** `service` '' = not to be shown. */
	add(connection: UnreadableConnection, service: string): void
	counts(): readonly UnreadableCount[]
} {
	const counts = new Map<string, UnreadableCount>()
	return {
		add({ protocol }, service) {
			if (service === '') return
			let key = `${protocol}\u0000${service}`
			let name = service
			if (!counts.has(key) && counts.size >= SERVICES) {
				name = REST
				key = `${protocol}\u0000${REST}`
			}
			const count = counts.get(key)
			if (count === undefined) counts.set(key, { service: name, protocol, connections: 1 })
			else count.connections++
		},
		counts: () => [...counts.values()],
	}
}
