import type { UnreadableConnection } from '../../model/exchange.ts'
import { PROTOCOL, RECORD_KIND, ROLE } from '../../model/record.ts'
import { createAddressCache } from './address-cache.ts'
import { offsetsOf, type RecordLayout } from './layout.ts'
import { type Malformed, type RecordParser, readU64 } from './record-view.ts'

const AF_UNIX = 1
const SHORT: Malformed = { malformed: 'short_record' }
const BAD_PROTOCOL: Malformed = { malformed: 'protocol' }

/** Reads `struct vor_conn_record`: a connection that was classified as one we cannot read. */
export function createConnectionParser(layout: RecordLayout): RecordParser {
	const at = offsetsOf(layout, 'vor_conn_record')
	const [pid, start, time] = [at('process.tgid') >> 2, at('process.start_ns') >> 2, at('time_ns') >> 2]
	const [localPort, remotePort, remote] = [at('local.port'), at('remote.port'), at('remote.addr') >> 2]
	const [roleAt, protocolAt, familyAt] = [at('role'), at('protocol'), at('family')]
	const addresses = createAddressCache()
	return {
		kind: RECORD_KIND.conn,
		gives: 'unreadable',
		parse({ bytes, words }, record, size): UnreadableConnection | Malformed {
			if (size < at.size) return SHORT
			const protocol = protocolName(bytes[record + protocolAt]!)
			if (protocol === undefined) return BAD_PROTOCOL
			const base = record >> 2
			const role = bytes[record + roleAt]!
			return {
				pid: words[base + pid]!,
				processStartNs: readU64(words, base + start),
				timeNs: readU64(words, base + time),
				role: role === ROLE.server ? 'server' : role === ROLE.client ? 'client' : 'unknown',
				protocol,
				localPort: bytes[record + localPort]! | (bytes[record + localPort + 1]! << 8),
				remoteAddress:
					bytes[record + familyAt] === AF_UNIX ? '' : addresses.address(words, bytes, base + remote),
				remotePort: bytes[record + remotePort]! | (bytes[record + remotePort + 1]! << 8),
			}
		},
	}
}

function protocolName(value: number): UnreadableConnection['protocol'] | undefined {
	if (value === PROTOCOL.tls) return 'tls'
	if (value === PROTOCOL.http2) return 'http2'
	if (value === PROTOCOL.unknown) return 'unknown'
	return undefined
}
