import type { Exchange } from './exchange.ts'
import type { Resource } from './resource.ts'
import type { Span } from './span.ts'

/** How telemetry is named (design, section 8). */
export type NamingProfile = 'grafana' | 'strict' | 'beyla'

/** What correlate knows of an exchange beside the exchange. */
export interface SpanContext {
	resource: Resource
	/** Low-cardinality route, '' = none. */
	route: string
	/** Exact `service.name` of the other side, '' = not known. */
	peerService: string
}

/**
 * A protocol's half of making a span: name, kind, status, attributes. Protocols provide it, correlate calls it; neither
 * imports the other.
 */
export interface SpanDescriber {
	readonly protocol: Exchange['protocol']
	/** The path that routes are matched against, '' = this exchange has none. */
	path(exchange: Exchange): string
	/** `context` is reused by the caller: copy what is kept. */
	describe(exchange: Exchange, context: SpanContext): Span
}
