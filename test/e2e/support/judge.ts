import { type Collector, type JudgedSpan, type JudgedValue, startCollector } from '../../helpers/collector.ts'

/** A span as the real Collector decoded it, with numbers and names that are easy to compare. */
export interface JudgeSpan {
	readonly service: string
	readonly name: string
	readonly kind: 'internal' | 'server' | 'client' | 'other'
	readonly traceId: string
	readonly spanId: string
	readonly parentSpanId: string
	readonly startNs: bigint
	readonly endNs: bigint
	readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>
	readonly resource: Readonly<Record<string, string | number | boolean | undefined>>
	readonly status: 'unset' | 'ok' | 'error' | 'other'
}

export interface Judge {
	readonly endpoint: string
	traces(): JudgeSpan[]
	readonly collector: Collector
	stop(): Promise<void>
}

const kinds = ['other', 'internal', 'server', 'client'] as const
const statuses = ['unset', 'ok', 'error'] as const

export async function startJudge(): Promise<Judge> {
	const collector = await startCollector()
	return {
		endpoint: collector.endpoint,
		collector,
		traces: () => collector.traces().map(simple),
		stop: () => collector.stop(),
	}
}

function simple(span: JudgedSpan): JudgeSpan {
	return {
		service: span.service,
		name: span.name,
		kind: kinds[span.kind] ?? 'other',
		traceId: span.traceId,
		spanId: span.spanId,
		parentSpanId: span.parentSpanId,
		startNs: span.startNs,
		endNs: span.endNs,
		attributes: plain(span.attributes),
		resource: plain(span.resource),
		status: statuses[span.status.code] ?? 'other',
	}
}

function plain(
	values: Readonly<Record<string, JudgedValue>>,
): Record<string, string | number | boolean | undefined> {
	const result: Record<string, string | number | boolean | undefined> = {}
	for (const [name, value] of Object.entries(values)) {
		if (typeof value === 'bigint') result[name] = Number(value)
		else if (typeof value === 'object') result[name] = JSON.stringify(value)
		else result[name] = value
	}
	return result
}
