import type { Observer } from 'rxjs'
import type { TelemetryConsumer } from '../../../flow/ports.ts'
import type { AttributeFilter } from '../../../model/attribute-filter.ts'
import type { SpanBatch } from '../../../model/batch.ts'
import { FinishedSpan } from '../../../model/finished-span.ts'
import type { ProcessFact } from '../../../model/process-fact.ts'
import type { Span } from '../../../model/span.ts'
import type { StageMeter } from '../../../telemetry/accounting.ts'

/** A place on the way of finished spans where some are left out, and some lose attributes. */
export interface GateOptions {
	readonly owner: string
	readonly meter: StageMeter | undefined
	readonly target: Observer<SpanBatch>
	readonly keeps: (span: Span) => boolean
	readonly attributes?: AttributeFilter
	/** For the facts that pass: what a process is to whoever comes after. */
	readonly fact?: (fact: ProcessFact) => ProcessFact
}

/** received = sent + filtered. Spans are frozen here: what changes is a copy. */
export function createGate({
	owner,
	meter,
	target,
	keeps,
	attributes,
	fact,
}: GateOptions): TelemetryConsumer {
	const traces: Observer<SpanBatch> = {
		next(batch) {
			const spans: Span[] = []
			for (let i = 0; i < batch.spans.length; i++) {
				const span = batch.spans[i]!
				if (!keeps(span)) continue
				spans.push(attributes === undefined ? span : without(span, attributes))
			}
			meter?.received(batch.spans.length)
			meter?.sent(spans.length)
			meter?.dropped(batch.spans.length - spans.length, 'filtered', true)
			const processes = fact === undefined ? batch.processes : batch.processes.map(fact)
			target.next({ ...batch, processes, spans })
		},
		error: (reason) => target.error(reason),
		complete: () => target.complete(),
	}
	return { kind: 'telemetry', owner, mutates: false, traces, metrics: undefined }
}

function without(span: Span, filter: AttributeFilter): Span {
	const copy = FinishedSpan.copyOf(span)
	copy.attributes = filter(span.attributes)
	return copy
}
