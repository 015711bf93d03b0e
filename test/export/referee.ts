import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { TraceEncoder } from '../../src/export/otlp-trace-writer.ts'
import type { AttributeKey, AttributeList } from '../../src/model/attributes.ts'
import type { ClockOffset } from '../../src/model/batch.ts'
import type { Resource } from '../../src/model/resource.ts'
import type { Span } from '../../src/model/span.ts'

type Request = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0]
type ReadableSpan = Request[number]

/** The other way to the same bytes: OpenTelemetry's own encoder behind our interface. Slow and plain on purpose. */
export function createReferee(scopeName: string, scopeVersion: string): TraceEncoder {
	const scope = { name: scopeName, version: scopeVersion }
	return {
		encode(spans, clockOffset) {
			const resources = new Map<Resource, ReadableSpan['resource']>()
			const readable = spans.map((span) => {
				let resource = resources.get(span.resource)
				if (resource === undefined) {
					resource = { attributes: record(span.resource.attributes) } as unknown as ReadableSpan['resource']
					resources.set(span.resource, resource)
				}
				return toReadable(span, clockOffset, resource, scope)
			})
			return ProtobufTraceSerializer.serializeRequest(readable)!
		},
	}
}

function toReadable(
	span: Span,
	offset: ClockOffset,
	resource: ReadableSpan['resource'],
	scope: ReadableSpan['instrumentationScope'],
): ReadableSpan {
	const hex = Buffer.from(span.ids.buffer, span.ids.byteOffset + span.idsAt, 32).toString('hex')
	const parent = hex.slice(48)
	const context = {
		traceId: hex.slice(0, 32),
		spanId: hex.slice(32, 48),
		traceFlags: span.traceFlags,
		traceState: { serialize: () => span.traceState },
	}
	return {
		name: span.name,
		// The API's kinds begin at 0 with internal.
		kind: span.kind === 0 ? null : span.kind - 1,
		spanContext: () => context,
		...(/^0+$/.test(parent)
			? {}
			: {
					parentSpanContext: {
						traceId: context.traceId,
						spanId: parent,
						traceFlags: 1,
						isRemote: span.remoteParent,
					},
				}),
		startTime: unix(span.startNs, offset),
		endTime: unix(span.endNs, offset),
		status: { code: span.statusCode, message: span.statusMessage },
		attributes: record(span.attributes),
		links: [],
		events: [],
		resource,
		instrumentationScope: scope,
		droppedAttributesCount: 0,
		droppedEventsCount: 0,
		droppedLinksCount: 0,
	} as unknown as ReadableSpan
}

function unix(bootNs: number, offset: ClockOffset): [number, number] {
	const total = BigInt(bootNs) + BigInt(offset.seconds) * 1_000_000_000n + BigInt(offset.nanos)
	return [Number(total / 1_000_000_000n), Number(total % 1_000_000_000n)]
}

function record(list: AttributeList): Record<string, unknown> {
	const out: Record<string, unknown> = Object.create(null)
	for (let i = 0; i < list.length; i += 2) out[(list[i] as AttributeKey).name] = list[i + 1]
	return out
}
