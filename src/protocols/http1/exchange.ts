import type { Exchange } from '../../model/exchange.ts'

/**
 * One HTTP/1 exchange; a class so that all have one hidden shape. The fields are `declare`d, else each would be written
 * twice.
 */
export class Http1Exchange implements Exchange {
	declare readonly protocol: 'http1'
	declare readonly role: 'server' | 'client'
	declare readonly pid: number
	declare readonly processStartNs: number
	declare readonly tid: number
	declare readonly netns: number
	declare readonly startNs: number
	declare readonly arrivalNs: number
	declare readonly requestEndNs: number
	declare readonly responseNs: number
	declare readonly endNs: number
	declare readonly requestBodySize: number
	declare readonly responseBodySize: number
	declare readonly family: 'inet' | 'inet6' | 'unix'
	declare readonly localAddress: string
	declare readonly localPort: number
	declare readonly remoteAddress: string
	declare readonly remotePort: number
	declare readonly ids: Uint8Array
	declare readonly idsAt: number
	declare readonly socketInode: number
	declare readonly peerSocketInode: number
	declare readonly joinSequence: number
	declare readonly peerPid: number
	declare readonly peerStartNs: number
	declare readonly flags: number
	declare readonly status: number
	declare readonly method: string
	declare readonly methodName: string
	declare readonly evidence: number
	declare readonly absent: number
	declare readonly target: string
	declare readonly host: string

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
		peerPid: number,
		peerStartNs: number,
		flags: number,
		status: number,
		method: string,
		methodName: string,
		evidence: number,
		absent: number,
		target: string,
		host: string,
	) {
		this.protocol = 'http1'
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
		this.peerPid = peerPid
		this.peerStartNs = peerStartNs
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
