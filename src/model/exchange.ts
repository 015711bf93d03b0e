/**
 * One request with its response (or without) as one side of one socket saw it. Made by `ebpf.decode`, one per record.
 * Strings are already made; ids stay as bytes inside the batch's own copy of the records (`ids`, offsets below).
 * All fields are set in the constructor, in one order: the hot path stays monomorphic.
 */
export interface Exchange {
	readonly protocol: 'http1'
	readonly role: 'server' | 'client'
	readonly pid: number
	readonly processStartNs: number
	readonly tid: number
	readonly netns: number
	/** Boot-clock ns; 0 = not known for arrivalNs, requestEndNs, responseNs. */
	readonly startNs: number
	readonly arrivalNs: number
	readonly requestEndNs: number
	readonly responseNs: number
	readonly endNs: number
	/** Payload bytes. */
	readonly requestBodySize: number
	readonly responseBodySize: number
	readonly family: 'inet' | 'inet6' | 'unix'
	readonly localAddress: string
	readonly localPort: number
	readonly remoteAddress: string
	readonly remotePort: number
	/** Bytes that hold the ids below; owned by the batch, never reused. */
	readonly ids: Uint8Array
	/** Offset in `ids` of trace id (16), span id (8), parent span id (8), header trace id (16), header span id (8). */
	readonly idsAt: number
	readonly socketInode: number
	readonly peerSocketInode: number
	readonly joinSequence: number
	/** Server, joined with a client on this host: the process that sent the request; else 0. */
	readonly peerPid: number
	readonly peerStartNs: number
	/** `vor_http_flags` of bpf/events.h. */
	readonly flags: number
	/** 0 = no response was seen. */
	readonly status: number
	/** As on the wire, upper or lower case kept; '' never. */
	readonly method: string
	/** Known method or '_OTHER'. */
	readonly methodName: string
	/** `vor_evidence` and `vor_absent` of bpf/events.h. */
	readonly evidence: number
	readonly absent: number
	/** Request target as sent (origin, absolute, authority or asterisk form). */
	readonly target: string
	/** Host header, '' when there was none. */
	readonly host: string
}

/** A connection that cannot be read, seen once. */
export interface UnreadableConnection {
	readonly pid: number
	readonly processStartNs: number
	readonly timeNs: number
	readonly role: 'server' | 'client' | 'unknown'
	readonly protocol: 'tls' | 'http2' | 'unknown'
	readonly localPort: number
	readonly remoteAddress: string
	readonly remotePort: number
}

/**
 * RED of exchanges whose record found no room in the ring, summed by the kernel. Deltas since the last reading.
 * Bucket bounds: `VOR_DURATION_BUCKETS`, `VOR_SIZE_BUCKETS` in bpf/events.h.
 */
export interface FallbackCount {
	readonly pid: number
	readonly processStartNs: number
	readonly role: 'server' | 'client'
	readonly methodName: string
	readonly status: number
	readonly port: number
	readonly peerReset: boolean
	readonly http10: boolean
	readonly count: number
	readonly durationSumNs: number
	readonly requestBodySum: number
	readonly responseBodySum: number
	readonly duration: readonly number[]
	readonly requestBody: readonly number[]
	readonly responseBody: readonly number[]
}
