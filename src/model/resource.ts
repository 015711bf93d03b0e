import type { AttributeList } from './attributes.ts'

/**
 * Who a span or metric point is about: one object per process (or per service), shared by reference. Two batches with the
 * same Resource object have the same resource, so exporters group by identity and may cache encoded bytes on it.
 * A change of facts makes a new object; a Resource is never mutated after it was handed out, but for `encoded`.
 */
export interface Resource {
	readonly attributes: AttributeList
	/** `service.name`, kept apart because every consumer asks for it. */
	readonly serviceName: string
	readonly serviceNamespace: string
	readonly serviceInstanceId: string
	/** Encoded OTLP `Resource` message, filled lazily by the OTLP writer. */
	encoded: Uint8Array | undefined
}
