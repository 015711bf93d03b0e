// The product's line from the kernel to finished spans, out of the built dist/, on one surface.
import { createCapture } from '../../../dist/capture/capture.js'
import { RECORD_LAYOUT } from '../../../dist/capture/layout.js'
import { createCorrelator } from '../../../dist/correlate/index.js'
import { createResourceBuilder, readHost } from '../../../dist/process/index.js'
import { compileSelection } from '../../../dist/process/selection.js'
import { createProcessTable } from '../../../dist/process/table.js'
import { createPropagator } from '../../../dist/propagate/index.js'
import { createDescribers, createProtocolDecoder } from '../../../dist/protocols/index.js'
import { createAccounting } from '../../../dist/telemetry/accounting.js'

/** Only the test's own programs: the runner itself and a developer's machine stay out. */
const SELECTION = {
	instrument: [{ exePath: '*/mix-*' }, { cmdArgs: '*node-program.mjs*' }],
}
/** The product waits one second for the other end of a connection; an emulated machine needs some twenty times as long for all. */
const HOLD_MS = 5000

/** Starts it. `spans` grows as they are finished; `stop` gives what was held and takes everything off the kernel. */
export async function startLine({ surface, storage }) {
	const accounting = createAccounting()
	const meter = (id) => accounting.meter('vm', id)
	const { rules } = compileSelection(SELECTION)
	const notices = []
	const capture = createCapture({
		meter: meter('ringbuf'),
		processes: createProcessTable({ rules }),
		surface,
		storage,
		notice: (_, message) => notices.push(message),
	})
	const decoder = createProtocolDecoder(RECORD_LAYOUT, meter('decode'))
	const correlator = createCorrelator({
		meter: meter('correlate'),
		describers: createDescribers({ profile: 'strict', debugAttributes: true }),
		resourceOf: createResourceBuilder(readHost()),
		routes: { unmatched: 'heuristic' },
	})
	const propagator = createPropagator({ meter: meter('propagate'), holdMs: HOLD_MS, debugAttributes: true })
	const spans = []
	const take = (batches) => {
		for (const batch of batches) for (const span of batch.spans) spans.push(plain(span))
	}
	let newest = 0
	const subscription = capture.batches.subscribe((batch) => {
		newest = batch.timeNs
		for (const part of correlator.process(decoder.decode(batch))) take(propagator.process(part))
	})
	try {
		await capture.start()
	} catch (reason) {
		subscription.unsubscribe()
		throw reason
	}
	return {
		capture,
		spans,
		notices,
		async stop() {
			const programs = capture.programs()
			await capture.stop()
			for (const part of correlator.flush()) take(propagator.process(part))
			take(propagator.flush(newest, true))
			subscription.unsubscribe()
			return {
				surface: capture.surface,
				storage: capture.storage,
				form: capture.form,
				missingHooks: capture.missingHooks,
				counters: capture.counters(),
				statistics: { ...capture.statistics },
				recursionMisses: Object.fromEntries(
					programs
						.filter((each) => each.recursionMisses > 0)
						.map((each) => [each.program, each.recursionMisses]),
				),
				notices,
			}
		},
	}
}

const hex = (span, from, to) =>
	Buffer.from(span.ids.buffer, span.ids.byteOffset + span.idsAt + from, to - from).toString('hex')

/** A span as nothing but JSON. */
function plain(span) {
	const attributes = {}
	for (let i = 0; i < span.attributes.length; i += 2)
		attributes[span.attributes[i].name] = span.attributes[i + 1]
	return {
		service: span.resource.serviceName,
		pid: span.exchange.pid,
		kind: span.kind === 2 ? 'server' : 'client',
		name: span.name,
		status: span.statusCode,
		startNs: span.startNs,
		endNs: span.endNs,
		traceId: hex(span, 0, 16),
		spanId: hex(span, 16, 24),
		parentId: hex(span, 24, 32),
		localPort: span.exchange.localPort,
		remotePort: span.exchange.remotePort,
		attributes,
	}
}
