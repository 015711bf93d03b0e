import { attributeKey } from './attributes.ts'

/** Attribute keys of the semantic conventions (and our own `vor.*`) that spans and metric points use. */
export const KEY = {
	httpRequestMethod: attributeKey('http.request.method'),
	httpRequestMethodOriginal: attributeKey('http.request.method_original'),
	httpResponseStatusCode: attributeKey('http.response.status_code'),
	httpRoute: attributeKey('http.route'),
	httpRequestBodySize: attributeKey('http.request.body.size'),
	httpResponseBodySize: attributeKey('http.response.body.size'),
	urlFull: attributeKey('url.full'),
	urlPath: attributeKey('url.path'),
	urlQuery: attributeKey('url.query'),
	urlScheme: attributeKey('url.scheme'),
	urlTemplate: attributeKey('url.template'),
	serverAddress: attributeKey('server.address'),
	serverPort: attributeKey('server.port'),
	clientAddress: attributeKey('client.address'),
	networkPeerAddress: attributeKey('network.peer.address'),
	networkPeerPort: attributeKey('network.peer.port'),
	networkProtocolName: attributeKey('network.protocol.name'),
	networkProtocolVersion: attributeKey('network.protocol.version'),
	networkTransport: attributeKey('network.transport'),
	errorType: attributeKey('error.type'),
	peerService: attributeKey('peer.service'),
	servicePeerName: attributeKey('service.peer.name'),
	otelMetricOverflow: attributeKey('otel.metric.overflow'),
	vorResponseObserved: attributeKey('vor.response.observed'),
	vorResponseSizeExact: attributeKey('vor.response.size.exact'),
	vorParentEvidence: attributeKey('vor.parent.evidence'),
	/** Seconds between the first request byte's arrival in the socket and the program's first read of it. */
	vorQueueDuration: attributeKey('vor.queue.duration'),
	vorUrlTruncated: attributeKey('vor.url.truncated'),
} as const

/** `error.type` of a connection that ended by an error or reset before its response was complete. */
export const ERROR_CONNECTION_RESET = 'connection_reset'

/** Upper bounds in seconds: B1 of the semantic conventions. */
export const DURATION_BOUNDS_S: readonly number[] = [
	0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]

/** Upper bounds in bytes, as Beyla has them. */
export const SIZE_BOUNDS_BYTES: readonly number[] = [0, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
