import type { AttributeList } from '../model/attributes.ts'
import type { FallbackCount } from '../model/exchange.ts'
import { METHOD_NAMES } from '../model/record.ts'
import { ERROR_CONNECTION_RESET, KEY } from '../model/semconv.ts'

/** What tells one RED series of a resource and side from another. */
export interface RedLabels {
	readonly method: string
	/** 0 = none. */
	readonly status: number
	readonly scheme: string
	readonly version: '1.0' | '1.1'
	/** '' = no error. */
	readonly errorType: string
	/** '' = none. */
	readonly route: string
	/** Client side only, '' = not known. */
	readonly serverAddress: string
	/** Client side only, 0 = not known. */
	readonly serverPort: number
}

export function attributesOf(labels: RedLabels, client: boolean, routeOnClient: boolean): AttributeList {
	const list: AttributeList = [KEY.httpRequestMethod, labels.method]
	if (labels.scheme !== '') list.push(KEY.urlScheme, labels.scheme)
	if (labels.status !== 0) list.push(KEY.httpResponseStatusCode, labels.status)
	if (labels.route !== '' && (!client || routeOnClient)) list.push(KEY.httpRoute, labels.route)
	if (labels.errorType !== '') list.push(KEY.errorType, labels.errorType)
	list.push(KEY.networkProtocolVersion, labels.version)
	if (client) {
		if (labels.serverAddress !== '') list.push(KEY.serverAddress, labels.serverAddress)
		if (labels.serverPort !== 0) list.push(KEY.serverPort, labels.serverPort)
	}
	return list
}

/** As a span of the same exchange would have them, but for route and address: the kernel does not keep those. */
export function fallbackLabels(count: FallbackCount): RedLabels {
	const { status } = count
	const client = count.role === 'client'
	return {
		method: count.methodName,
		status,
		scheme: 'http',
		version: count.http10 ? '1.0' : '1.1',
		errorType:
			status >= (client ? 400 : 500) ? String(status) : count.peerReset ? ERROR_CONNECTION_RESET : '',
		route: '',
		serverAddress: '',
		serverPort: client ? count.port : 0,
	}
}

const methodIndex = new Map<string, number>(METHOD_NAMES.map((name, index) => [name, index]))

/**
 * Everything but route and address in one small integer (31 bits at most): a Map hashes it without touching memory.
 * The error type needs one bit: it is the status or a reset.
 */
export function packedKey(
	methodName: string,
	status: number,
	version10: boolean,
	tls: boolean,
	errorType: string,
): number {
	const method = methodIndex.get(methodName) ?? 0
	const reset = errorType === ERROR_CONNECTION_RESET ? 1 : 0
	return (
		(((status & 0x3ff) << 8) | (method << 4) | (reset << 2) | ((version10 ? 1 : 0) << 1) | (tls ? 1 : 0)) >>>
		0
	)
}

/** Same attributes, same text: how series that were reached by different ways find each other. */
export function canonicalKey(attributes: AttributeList): string {
	const parts: string[] = []
	for (let i = 0; i < attributes.length; i += 2) {
		const key = attributes[i] as { name: string }
		parts.push(`${key.name}=${JSON.stringify(attributes[i + 1])}`)
	}
	return parts.sort().join('\u0000')
}
