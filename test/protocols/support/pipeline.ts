import { type CorrelatorOptions, createCorrelator } from '../../../src/correlate/index.ts'
import {
	type AttributeKey,
	type AttributeValue,
	attributeKey,
	findAttribute,
} from '../../../src/model/attributes.ts'
import type { ProcessFact } from '../../../src/model/process-fact.ts'
import type { Resource } from '../../../src/model/resource.ts'
import type { Span } from '../../../src/model/span.ts'
import type { SemconvOptions } from '../../../src/protocols/common/protocol.ts'
import { createDescribers, createProtocolDecoder } from '../../../src/protocols/index.ts'
import { type Accounting, createAccounting, type StageTotals } from '../../../src/telemetry/accounting.ts'
import { contract } from './records.ts'

/** As src/process does it, without the machine's own attributes. */
export function resourceOf(fact: ProcessFact): Resource {
	return {
		attributes: [
			attributeKey('service.name'),
			fact.serviceName,
			attributeKey('service.instance.id'),
			`host:${fact.pid}`,
		],
		serviceName: fact.serviceName,
		serviceNamespace: fact.serviceNamespace,
		serviceInstanceId: `host:${fact.pid}`,
		encoded: undefined,
	}
}

export function decodeAndCorrelate(
	options: Partial<CorrelatorOptions> & { semconv?: Partial<SemconvOptions> } = {},
	accounting: Accounting = createAccounting(),
) {
	const decoder = createProtocolDecoder(contract, accounting.meter('/', 'decode'))
	const correlator = createCorrelator({
		meter: accounting.meter('/', 'correlate'),
		describers: createDescribers({ profile: 'grafana', debugAttributes: false, ...options.semconv }),
		resourceOf,
		...options,
	})
	return { decoder, correlator, accounting }
}

export function attribute(span: Span, name: string): AttributeValue | undefined {
	return findAttribute(span.attributes, attributeKey(name))
}

export function attributeNames(span: Span): string[] {
	return span.attributes.filter((_, i) => i % 2 === 0).map((key) => (key as AttributeKey).name)
}

/** Left minus right side of the accounting identity of a stage. */
export function imbalance(accounting: Accounting, id: string): number {
	const totals = totalsOf(accounting, id)
	let dropped = 0
	for (const { count } of totals.dropped.values()) dropped += count
	return totals.received - totals.sent - dropped - totals.held()
}

export function totalsOf(accounting: Accounting, id: string): StageTotals {
	const totals = accounting.totals().find((each) => each.id === id)
	if (totals === undefined) throw new Error(`no stage ${id}`)
	return totals
}
