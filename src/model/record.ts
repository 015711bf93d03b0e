/**
 * Numbers of bpf/events.h that travel through the pipeline inside records and exchanges. The engines may not import the
 * generated layout (that is capture's); a test holds this file against the header.
 */
export const RECORD_KIND = { http1: 1, conn: 2, exec: 3, fork: 4, exit: 5, listen: 6 } as const

export const ROLE = { unknown: 0, server: 1, client: 2 } as const

export const PROTOCOL = { none: 0, http1: 1, tls: 2, http2: 3, unknown: 4 } as const

/** Index = `enum vor_method`. */
export const METHOD_NAMES = [
	'_OTHER',
	'GET',
	'HEAD',
	'POST',
	'PUT',
	'DELETE',
	'CONNECT',
	'OPTIONS',
	'TRACE',
	'PATCH',
] as const

export const EVIDENCE = { none: 0, header: 1, sameHost: 2, thread: 3, nginxRequest: 4 } as const

/** Values of `vor.parent.evidence`, by `enum vor_evidence`. */
export const EVIDENCE_NAMES = ['none', 'header', 'same-host', 'thread', 'nginx-request'] as const

/** Values of the label `reason` of `vor_parent_absent_total`, by `enum vor_absent`. */
export const ABSENT_NAMES = [
	'not_applicable',
	'no_open_request',
	'nonblocking',
	'ambiguous',
	'other_thread',
] as const

export const HTTP_FLAG = {
	responseSeen: 1 << 0,
	responseComplete: 1 << 1,
	requestComplete: 1 << 2,
	sizeInexact: 1 << 3,
	pipelined: 1 << 4,
	closed: 1 << 5,
	upgraded: 1 << 6,
	targetTruncated: 1 << 7,
	hostTruncated: 1 << 8,
	version10: 1 << 9,
	traceparent: 1 << 10,
	joinKey: 1 << 11,
	joined: 1 << 12,
	idsPublished: 1 << 13,
	earlyResponse: 1 << 14,
	methodTruncated: 1 << 15,
	sampledFlag: 1 << 16,
	schemeTls: 1 << 17,
	peerReset: 1 << 18,
	refusedHeaderSameTrace: 1 << 19,
} as const

/** Offsets inside the 56 id bytes of an exchange, from `idsAt`. A span uses the first three. */
export const ID_OFFSET = {
	traceId: 0,
	spanId: 16,
	parentSpanId: 24,
	headerTraceId: 32,
	headerSpanId: 48,
} as const
export const EXCHANGE_ID_BYTES = 56
export const SPAN_ID_BYTES = 32
