import type { RequestWatch } from '../../../export/watched-client.ts'
import type { SpanBatch } from '../../../model/batch.ts'
import type { ComponentRef, OwnTraces } from '../../services.ts'

/** Spans of an exporter's requests, among Vör's own traces. */
export interface RequestTraces {
	/** Sees every batch of spans before it is exported. */
	readonly saw: (batch: SpanBatch) => void
	readonly watch: RequestWatch
}

/**
 * Own traces are exported too, and maybe by this very exporter: the requests that hold nothing else give no span, else each
 * would cause the next.
 */
export function traceRequests(traces: OwnTraces, { path, id }: ComponentRef): RequestTraces {
	/** Spans of others came since the last request; the newest batch is of others. */
	let waiting = false
	let newest = false
	return {
		saw(batch) {
			newest = batch.spans.length > 0 && !traces.owns(batch)
			waiting ||= newest
		},
		watch(method, bytes) {
			const signal = method.includes('.metrics.') ? 'metrics' : 'traces'
			if (signal === 'traces') {
				const others = waiting || newest
				waiting = false
				if (!others) return undefined
			}
			const span = traces.root('ExportRequest')
			if (span === undefined) return undefined
			span.set('component_path', path)
			span.set('component_id', id)
			span.set('vor.export.signal', signal)
			span.set('vor.export.bytes', bytes)
			return (problem) => span.end(problem)
		},
	}
}
