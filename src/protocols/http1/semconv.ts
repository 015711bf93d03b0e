import type { AttributeList } from '../../model/attributes.ts'
import type { Exchange } from '../../model/exchange.ts'
import { FinishedSpan } from '../../model/finished-span.ts'
import { EVIDENCE_NAMES, HTTP_FLAG } from '../../model/record.ts'
import { ERROR_CONNECTION_RESET, KEY } from '../../model/semconv.ts'
import { SPAN_KIND, STATUS_CODE } from '../../model/span.ts'
import type { SpanContext, SpanDescriber } from '../../model/span-describer.ts'
import { GenerationCache } from '../../util/generation-cache.ts'
import { type Authority, parseAuthority } from '../common/authority.ts'
import type { SemconvOptions } from '../common/protocol.ts'
import { splitTarget, type TargetParts } from './target.ts'

const TARGETS_KEPT = 8192
const HOSTS_KEPT = 1024
const NO_AUTHORITY: Authority = { host: '', port: 0, isName: false }

/** Names, kinds, status and attributes of HTTP spans, as the stable HTTP conventions have them. */
export function createHttp1Semconv({ profile, debugAttributes }: SemconvOptions): SpanDescriber {
	const targets = new GenerationCache<string, TargetParts>(TARGETS_KEPT)
	const hosts = new GenerationCache<string, Authority>(HOSTS_KEPT)
	const statusTexts: string[] = []
	const withPeerService = profile === 'grafana'

	function partsOf(exchange: Exchange): TargetParts {
		// A CONNECT target looks like no other, so that it can share the cache only under another key.
		const key = exchange.methodName === 'CONNECT' ? `\u0000${exchange.target}` : exchange.target
		let parts = targets.get(key)
		if (parts === undefined) {
			parts = splitTarget(exchange.target, exchange.methodName)
			targets.set(key, parts)
		}
		return parts
	}

	function authorityOf(text: string): Authority {
		if (text === '') return NO_AUTHORITY
		let authority = hosts.get(text)
		if (authority === undefined) {
			authority = parseAuthority(text)
			hosts.set(text, authority)
		}
		return authority
	}

	function statusText(status: number): string {
		return (statusTexts[status] ??= String(status))
	}

	return {
		protocol: 'http1',
		path: (exchange) => partsOf(exchange).path,
		describe(exchange, context) {
			const { flags, status } = exchange
			const isServer = exchange.role === 'server'
			const parts = partsOf(exchange)
			const cut = (flags & HTTP_FLAG.hostTruncated) !== 0
			const authority = authorityOf(parts.authority !== '' ? parts.authority : cut ? '' : exchange.host)
			const scheme =
				parts.scheme !== '' ? parts.scheme : (flags & HTTP_FLAG.schemeTls) !== 0 ? 'https' : 'http'
			const errorType =
				status >= (isServer ? 500 : 400)
					? statusText(status)
					: (flags & HTTP_FLAG.peerReset) !== 0 && (flags & HTTP_FLAG.responseComplete) === 0
						? ERROR_CONNECTION_RESET
						: ''
			const attributes: AttributeList = [KEY.httpRequestMethod, exchange.methodName]
			if (exchange.method !== exchange.methodName)
				attributes.push(KEY.httpRequestMethodOriginal, exchange.method)
			attributes.push(KEY.urlScheme, scheme)
			if (isServer) serverAttributes(attributes, exchange, parts, authority, context)
			else clientAttributes(attributes, exchange, parts, authority, scheme, context)
			if (status !== 0) attributes.push(KEY.httpResponseStatusCode, status)
			else attributes.push(KEY.vorResponseObserved, false)
			if (errorType !== '') attributes.push(KEY.errorType, errorType)
			attributes.push(
				KEY.networkProtocolVersion,
				(flags & HTTP_FLAG.version10) === 0 ? '1.1' : '1.0',
				KEY.httpRequestBodySize,
				exchange.requestBodySize,
			)
			if (status !== 0) attributes.push(KEY.httpResponseBodySize, exchange.responseBodySize)
			if (exchange.family === 'unix') attributes.push(KEY.networkTransport, 'unix')
			else
				attributes.push(
					KEY.networkPeerAddress,
					exchange.remoteAddress,
					KEY.networkPeerPort,
					exchange.remotePort,
				)
			if ((flags & HTTP_FLAG.sizeInexact) !== 0) attributes.push(KEY.vorResponseSizeExact, false)
			if ((flags & HTTP_FLAG.targetTruncated) !== 0) attributes.push(KEY.vorUrlTruncated, true)
			if (debugAttributes && exchange.evidence !== 0)
				attributes.push(KEY.vorParentEvidence, EVIDENCE_NAMES[exchange.evidence] ?? 'none')
			const method = exchange.methodName === '_OTHER' ? 'HTTP' : exchange.methodName
			return new FinishedSpan(
				exchange,
				context.resource,
				context.route === '' ? method : `${method} ${context.route}`,
				isServer ? SPAN_KIND.server : SPAN_KIND.client,
				errorType === '' ? STATUS_CODE.unset : STATUS_CODE.error,
				attributes,
				context.route,
				errorType,
				(flags & HTTP_FLAG.sampledFlag) === 0 ? 0 : 1,
			)
		},
	}

	function serverAttributes(
		attributes: AttributeList,
		exchange: Exchange,
		parts: TargetParts,
		authority: Authority,
		context: SpanContext,
	): void {
		attributes.push(KEY.urlPath, parts.path)
		if (parts.query !== '') attributes.push(KEY.urlQuery, parts.query)
		if (context.route !== '') attributes.push(KEY.httpRoute, context.route)
		if (authority.host !== '') {
			attributes.push(KEY.serverAddress, authority.host)
			const port = authority.port !== 0 ? authority.port : exchange.localPort
			if (port !== 0) attributes.push(KEY.serverPort, port)
		}
		if (exchange.family !== 'unix') attributes.push(KEY.clientAddress, exchange.remoteAddress)
		if (exchange.arrivalNs !== 0 && exchange.arrivalNs < exchange.startNs)
			attributes.push(KEY.vorQueueDuration, { double: (exchange.startNs - exchange.arrivalNs) / 1e9 })
	}

	function clientAttributes(
		attributes: AttributeList,
		exchange: Exchange,
		parts: TargetParts,
		authority: Authority,
		scheme: string,
		context: SpanContext,
	): void {
		const host = authority.host !== '' ? authority.host : exchange.remoteAddress
		// A target in absolute form names the origin behind a proxy: the socket's port is the proxy's.
		const port =
			authority.port !== 0
				? authority.port
				: parts.scheme !== ''
					? defaultPort(parts.scheme)
					: exchange.remotePort
		if (exchange.methodName !== 'CONNECT' && host !== '')
			attributes.push(KEY.urlFull, fullUrl(scheme, host, port, parts))
		else if (parts.path !== '') attributes.push(KEY.urlPath, parts.path)
		if (host !== '') attributes.push(KEY.serverAddress, host)
		if (port !== 0) attributes.push(KEY.serverPort, port)
		if (context.route !== '')
			attributes.push(profile === 'beyla' ? KEY.httpRoute : KEY.urlTemplate, context.route)
		if (context.peerService !== '') {
			attributes.push(KEY.servicePeerName, context.peerService)
			if (withPeerService) attributes.push(KEY.peerService, context.peerService)
		} else if (withPeerService && authority.isName) attributes.push(KEY.peerService, authority.host)
	}
}

function fullUrl(scheme: string, host: string, port: number, parts: TargetParts): string {
	const shownHost = host.includes(':') ? `[${host}]` : host
	const shownPort = port === 0 || port === defaultPort(scheme) ? '' : `:${port}`
	const credentials = parts.hadCredentials ? 'REDACTED:REDACTED@' : ''
	const query = parts.query === '' ? '' : `?${parts.query}`
	return `${scheme}://${credentials}${shownHost}${shownPort}${parts.path}${query}`
}

function defaultPort(scheme: string): number {
	return scheme === 'https' ? 443 : scheme === 'http' ? 80 : 0
}
