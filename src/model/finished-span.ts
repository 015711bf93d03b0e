import type { AttributeList } from './attributes.ts'
import type { Exchange } from './exchange.ts'
import type { Resource } from './resource.ts'
import type { Span } from './span.ts'

/**
 * The one class of spans made from exchanges: one hidden shape through all stages. The fields are `declare`d, else each
 * would be written twice.
 */
export class FinishedSpan implements Span {
	declare exchange: Exchange
	declare resource: Resource
	declare name: string
	declare kind: number
	declare statusCode: number
	declare attributes: AttributeList
	declare route: string
	declare errorType: string
	declare startNs: number
	declare endNs: number
	declare statusMessage: string
	declare ids: Uint8Array
	declare idsAt: number
	declare traceFlags: number
	declare traceState: string
	declare remoteParent: boolean
	declare skipTraces: boolean
	declare skipMetrics: boolean

	constructor(
		exchange: Exchange,
		resource: Resource,
		name: string,
		kind: number,
		statusCode: number,
		attributes: AttributeList,
		route: string,
		errorType: string,
		traceFlags: number,
	) {
		this.exchange = exchange
		this.resource = resource
		this.name = name
		this.kind = kind
		this.statusCode = statusCode
		this.attributes = attributes
		this.route = route
		this.errorType = errorType
		this.startNs = exchange.startNs
		this.endNs = exchange.endNs
		this.ids = exchange.ids
		this.idsAt = exchange.idsAt
		this.traceFlags = traceFlags
		this.statusMessage = ''
		this.traceState = ''
		this.remoteParent = false
		this.skipTraces = false
		this.skipMetrics = false
	}

	/** A copy for another owner: own fields, shared bytes and attributes (both are replaced, never written to). */
	static copyOf(span: Span): FinishedSpan {
		const copy = new FinishedSpan(
			span.exchange,
			span.resource,
			span.name,
			span.kind,
			span.statusCode,
			span.attributes,
			span.route,
			span.errorType,
			span.traceFlags,
		)
		return Object.assign(copy, span)
	}
}
