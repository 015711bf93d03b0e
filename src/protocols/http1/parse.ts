import { HTTP_FLAG, METHOD_NAMES, ROLE } from '../../model/record.ts'
import { isV4Mapped } from '../../util/ip-address.ts'
import { createAddressCache } from '../common/address-cache.ts'
import { offsetsOf, type RecordLayout } from '../common/layout.ts'
import { type Malformed, type RecordParser, type RecordView, readU64 } from '../common/record-view.ts'
import { createTextCache } from '../common/text-cache.ts'
import { HTTP1_RECORD_KIND } from './detect.ts'
import { Http1Exchange } from './exchange.ts'

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10

const SHORT: Malformed = { malformed: 'short_record' }
const BAD_TEXT: Malformed = { malformed: 'text_length' }
const BAD_ROLE: Malformed = { malformed: 'role' }
const BAD_FAMILY: Malformed = { malformed: 'address_family' }
const BAD_METHOD: Malformed = { malformed: 'method' }
const BAD_TIME: Malformed = { malformed: 'time' }
const BAD_IDS: Malformed = { malformed: 'ids' }

/** Reads `struct vor_http_record`. The caches live as long as the parser. */
export function createHttp1Parser(layout: RecordLayout): RecordParser {
	const at = offsetsOf(layout, 'vor_http_record')
	const word = (path: string): number => at(path) >> 2
	const textAt = at.size
	const [pid, processStart, tid, netns] = [
		word('process.tgid'),
		word('process.start_ns'),
		word('tid'),
		word('netns'),
	]
	const [start, arrival, requestEnd, response, end] = [
		word('start_ns'),
		word('arrival_ns'),
		word('request_end_ns'),
		word('response_ns'),
		word('end_ns'),
	]
	const [requestBody, responseBody] = [word('request_body'), word('response_body')]
	const [local, remote, localPort, remotePort] = [
		word('local.addr'),
		word('remote.addr'),
		at('local.port'),
		at('remote.port'),
	]
	const [traceId, spanId, parentId, headerTrace, headerSpan] = [
		word('trace_id'),
		word('span_id'),
		word('parent_span_id'),
		word('hdr_trace_id'),
		word('hdr_span_id'),
	]
	const [peerPid, peerStart] = [word('peer_process.tgid'), word('peer_process.start_ns')]
	const [sock, peerSock, joinSeq, flagsAt] = [
		word('sock'),
		word('peer_sock'),
		word('join_seq'),
		word('flags'),
	]
	const [statusAt, methodAt, roleAt, familyAt, evidenceAt, absentAt] = [
		at('status'),
		at('method'),
		at('role'),
		at('family'),
		at('evidence'),
		at('absent'),
	]
	const [targetLen, hostLen, methodLen] = [at('target_len'), at('host_len'), at('method_len')]
	const texts = createTextCache()
	const addresses = createAddressCache()

	return {
		kind: HTTP1_RECORD_KIND,
		gives: 'exchange',
		parse(view: RecordView, record: number, size: number, idsAt: number) {
			if (size < textAt) return SHORT
			const { bytes, words, idWords } = view
			const base = record >> 2
			const targetLength = bytes[record + targetLen]! | (bytes[record + targetLen + 1]! << 8)
			const hostLength = bytes[record + hostLen]! | (bytes[record + hostLen + 1]! << 8)
			const methodLength = bytes[record + methodLen]! | (bytes[record + methodLen + 1]! << 8)
			if (textAt + targetLength + hostLength + methodLength > size) return BAD_TEXT
			const role = bytes[record + roleAt]!
			if (role !== ROLE.server && role !== ROLE.client) return BAD_ROLE
			const startNs = readU64(words, base + start)
			const endNs = readU64(words, base + end)
			if (startNs === 0 || endNs < startNs) return BAD_TIME
			if ((words[base + spanId]! | words[base + spanId + 1]!) === 0) return BAD_IDS
			const trace = base + traceId
			if ((words[trace]! | words[trace + 1]! | words[trace + 2]! | words[trace + 3]!) === 0) return BAD_IDS

			let family: 'inet' | 'inet6' | 'unix'
			let localAddress = ''
			let remoteAddress = ''
			const familyNumber = bytes[record + familyAt]!
			if (familyNumber === AF_UNIX) family = 'unix'
			else if (familyNumber === AF_INET || familyNumber === AF_INET6) {
				localAddress = addresses.address(words, bytes, base + local)
				remoteAddress = addresses.address(words, bytes, base + remote)
				// A v4-mapped connection of an AF_INET6 socket is IPv4 on the wire.
				family = familyNumber === AF_INET || isV4Mapped(bytes, (base + remote) * 4) ? 'inet' : 'inet6'
			} else return BAD_FAMILY

			const text = record + textAt
			const methodName = METHOD_NAMES[bytes[record + methodAt]!]
			if (methodName === undefined) return BAD_METHOD
			const method =
				methodName === '_OTHER'
					? texts.text(bytes, text + targetLength + hostLength, methodLength)
					: methodName
			if (method === '') return BAD_METHOD

			const flags = words[base + flagsAt]! | 0
			const ids = idsAt >> 2
			for (let i = 0; i < 4; i++) idWords[ids + i] = words[trace + i]!
			idWords[ids + 4] = words[base + spanId]!
			idWords[ids + 5] = words[base + spanId + 1]!
			idWords[ids + 6] = words[base + parentId]!
			idWords[ids + 7] = words[base + parentId + 1]!
			if ((flags & HTTP_FLAG.traceparent) !== 0) {
				for (let i = 0; i < 4; i++) idWords[ids + 8 + i] = words[base + headerTrace + i]!
				idWords[ids + 12] = words[base + headerSpan]!
				idWords[ids + 13] = words[base + headerSpan + 1]!
			}
			return new Http1Exchange(
				role === ROLE.server ? 'server' : 'client',
				words[base + pid]!,
				readU64(words, base + processStart),
				words[base + tid]!,
				words[base + netns]!,
				startNs,
				readU64(words, base + arrival),
				readU64(words, base + requestEnd),
				readU64(words, base + response),
				endNs,
				readU64(words, base + requestBody),
				readU64(words, base + responseBody),
				family,
				localAddress,
				bytes[record + localPort]! | (bytes[record + localPort + 1]! << 8),
				remoteAddress,
				bytes[record + remotePort]! | (bytes[record + remotePort + 1]! << 8),
				view.ids,
				idsAt,
				readU64(words, base + sock),
				readU64(words, base + peerSock),
				words[base + joinSeq]!,
				(flags & HTTP_FLAG.joined) === 0 ? 0 : words[base + peerPid]!,
				(flags & HTTP_FLAG.joined) === 0 ? 0 : readU64(words, base + peerStart),
				flags,
				(flags & HTTP_FLAG.responseSeen) === 0
					? 0
					: bytes[record + statusAt]! | (bytes[record + statusAt + 1]! << 8),
				method,
				methodName,
				bytes[record + evidenceAt]!,
				bytes[record + absentAt]!,
				texts.text(bytes, text, targetLength),
				texts.text(bytes, text + targetLength, hostLength),
			)
		},
	}
}
