import type { Exchange } from '../../model/exchange.ts'

/** One HTTP/1 exchange; a class so that all have one hidden shape. */
export class Http1Exchange implements Exchange {
	readonly protocol = 'http1'
	readonly role: 'server' | 'client'
	readonly pid: number
	readonly processStartNs: number
	readonly tid: number
	readonly netns: number
	readonly startNs: number
	readonly arrivalNs: number
	readonly requestEndNs: number
	readonly responseNs: number
	readonly endNs: number
	readonly requestBodySize: number
	readonly responseBodySize: number
	readonly family: 'inet' | 'inet6' | 'unix'
	readonly localAddress: string
	readonly localPort: number
	readonly remoteAddress: string
	readonly remotePort: number
	readonly ids: Uint8Array
	readonly idsAt: number
	readonly socketInode: number
	readonly peerSocketInode: number
	readonly joinSequence: number
	readonly flags: number
	readonly status: number
	readonly method: string
	readonly methodName: string
	readonly evidence: number
	readonly absent: number
	readonly target: string
	readonly host: string

	constructor(
		role: 'server' | 'client',
		pid: number,
		processStartNs: number,
		tid: number,
		netns: number,
		startNs: number,
		arrivalNs: number,
		requestEndNs: number,
		responseNs: number,
		endNs: number,
		requestBodySize: number,
		responseBodySize: number,
		family: 'inet' | 'inet6' | 'unix',
		localAddress: string,
		localPort: number,
		remoteAddress: string,
		remotePort: number,
		ids: Uint8Array,
		idsAt: number,
		socketInode: number,
		peerSocketInode: number,
		joinSequence: number,
		flags: number,
		status: number,
		method: string,
		methodName: string,
		evidence: number,
		absent: number,
		target: string,
		host: string,
	) {
		this.role = role
		this.pid = pid
		this.processStartNs = processStartNs
		this.tid = tid
		this.netns = netns
		this.startNs = startNs
		this.arrivalNs = arrivalNs
		this.requestEndNs = requestEndNs
		this.responseNs = responseNs
		this.endNs = endNs
		this.requestBodySize = requestBodySize
		this.responseBodySize = responseBodySize
		this.family = family
		this.localAddress = localAddress
		this.localPort = localPort
		this.remoteAddress = remoteAddress
		this.remotePort = remotePort
		this.ids = ids
		this.idsAt = idsAt
		this.socketInode = socketInode
		this.peerSocketInode = peerSocketInode
		this.joinSequence = joinSequence
		this.flags = flags
		this.status = status
		this.method = method
		this.methodName = methodName
		this.evidence = evidence
		this.absent = absent
		this.target = target
		this.host = host
	}
}
