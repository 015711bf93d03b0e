import { ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { Observer } from 'rxjs'
import type { MetricBatch, SpanBatch } from '../model/batch.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Labels, MetricFamily } from '../telemetry/metric-family.ts'
import { exporterFamilies } from './exporter-families.ts'
import { createGrpcClient } from './grpc-client.ts'
import { countPoints, encodeMetrics } from './otlp-metric-writer.ts'
import { type OtlpExporterInput, otlpExporterOptions } from './otlp-options.ts'
import { TraceWriter } from './otlp-trace-writer.ts'
import { createOutageLog } from './outage-log.ts'
import { type SenderTotals, type Signal, SignalSender } from './signal-sender.ts'
import { type RequestWatch, watchedClient } from './watched-client.ts'

export interface OtlpExporterDeps {
	/** Counts spans and metric points. */
	readonly meter: StageMeter
	readonly log: Logger
	/** Version of Vör: scope version and user agent. */
	readonly version: string
	readonly random?: () => number
	/** Is told of every request. */
	readonly watch?: RequestWatch
}

export interface OtlpExporter {
	readonly traces: Observer<SpanBatch>
	readonly metrics: Observer<MetricBatch>
	/** Sends what waits; true when nothing is held any more, false when the time was over before. */
	flush(timeoutMs: number): Promise<boolean>
	/** As `flush`, but each request gets one attempt only, and the channel is closed. Gives the items that were lost. */
	stop(timeoutMs: number): Promise<number>
	totals(signal: Signal): SenderTotals
	/** Spans and metric points that are neither sent nor dropped yet. */
	held(): number
	/** The Collector's exporter metrics, each sample with `labels`. */
	families(labels: Labels): MetricFamily[]
}

const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const UNLIMITED = 2 ** 31

/** `otelcol.exporter.otlp`. Throws `E_CONFIG` or `E_FILE` for options that cannot work; connects on the first send. */
export function createOtlpExporter(input: OtlpExporterInput, deps: OtlpExporterDeps): OtlpExporter {
	const options = otlpExporterOptions(input)
	const { meter, random = Math.random } = deps
	const batch = options.sendingQueue.batch
	const scope = { scopeName: 'vor', scopeVersion: deps.version }
	const writer = new TraceWriter({
		...scope,
		maxBytes: Math.min(
			options.maxRequestBytes,
			batch?.sizer === 'bytes' ? batch.maxSize || UNLIMITED : UNLIMITED,
		),
		maxItems: batch?.sizer === 'items' ? batch.maxSize || UNLIMITED : UNLIMITED,
	})
	const bare = createGrpcClient(options.client, `vor/${deps.version}`)
	const client = deps.watch === undefined ? bare : watchedClient(bare, deps.watch)
	const held = (): number => writer.items + traces.held + metrics.held
	const sender = (signal: Signal, method: string, readReply: typeof spanReply): SignalSender => {
		const outage = createOutageLog(deps.log, { endpoint: options.client.endpoint, signal }, held)
		return new SignalSender(method, options, { client, meter, outage, random, readReply })
	}
	const traces = sender('spans', TRACES, spanReply)
	const metrics = sender('metric_points', METRICS, pointReply)
	meter.held(held)

	// The first spans open the connection, and whoever waits for them waits for no batch; a batch that was asked for is kept to.
	let isFirst = input.sendingQueue?.batch === undefined
	let timer: NodeJS.Timeout | undefined
	let stopped = false
	const enqueueSpans = traces.enqueue.bind(traces)
	const enqueuePoints = metrics.enqueue.bind(metrics)
	const flushWriter = () => {
		clearTimeout(timer)
		timer = undefined
		if (writer.items > 0) traces.enqueue(writer.take())
	}

	function addSpans({ spans, clockOffset }: SpanBatch): void {
		if (spans.length === 0) return
		meter.received(spans.length)
		if (stopped) {
			meter.dropped(spans.length, 'shutdown')
			return
		}
		writer.add(spans, clockOffset, enqueueSpans)
		countRefused()
		const waiting = batch?.sizer === 'bytes' ? writer.size : writer.items
		if (batch === undefined || waiting >= batch.minSize || (isFirst && waiting > 0)) {
			isFirst = false
			flushWriter()
		} else if (writer.items > 0) timer ??= setTimeout(flushWriter, batch.flushTimeoutMs)
	}

	function countRefused(): void {
		const refused = writer.refused
		if (refused.skipped > 0) meter.dropped(refused.skipped, 'filtered', true)
		traces.refuse(refused.tooLarge, 'too_large')
		traces.refuse(refused.invalidId, 'invalid_id')
		refused.skipped = 0
		refused.tooLarge = 0
		refused.invalidId = 0
	}

	function addMetrics(reading: MetricBatch): void {
		const points = countPoints(reading.metrics)
		if (points === 0) return
		meter.received(points)
		if (stopped) {
			meter.dropped(points, 'shutdown')
			return
		}
		const limits = { ...scope, maxBytes: options.maxRequestBytes }
		metrics.refuse(encodeMetrics(reading.metrics, limits, enqueuePoints), 'too_large')
	}

	/** Nothing follows a completed or failed stage; what it gave is still sent. */
	const ending = { error: flushWriter, complete: flushWriter }

	async function flush(timeoutMs: number): Promise<boolean> {
		flushWriter()
		await within(timeoutMs, Promise.all([traces.idle(), metrics.idle()]))
		return held() === 0
	}

	return {
		traces: { next: addSpans, ...ending },
		metrics: { next: addMetrics, ...ending },
		flush,
		async stop(timeoutMs) {
			if (stopped) return 0
			flushWriter()
			stopped = true
			const before = traces.totals().sendFailed + metrics.totals().sendFailed
			traces.startStopping()
			metrics.startStopping()
			await flush(timeoutMs)
			const left = traces.close() + metrics.close()
			client.close()
			const lost = traces.totals().sendFailed + metrics.totals().sendFailed - before
			if (lost > 0) {
				deps.log.warn('stopped before everything was sent', {
					endpoint: options.client.endpoint,
					lost_items: lost,
					out_of_time_items: left,
				})
			}
			return lost
		},
		totals: (signal) => (signal === 'spans' ? traces : metrics).totals(),
		held,
		families: (labels) =>
			exporterFamilies({ spans: traces.totals(), metric_points: metrics.totals() }, labels),
	}
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
	let timer: NodeJS.Timeout | undefined
	await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)))])
	clearTimeout(timer)
}

function spanReply(reply: Uint8Array): { rejected: number; message: string } {
	return readPartial(reply, () => {
		const partial = ProtobufTraceSerializer.deserializeResponse(reply).partialSuccess
		return { rejected: partial?.rejectedSpans, message: partial?.errorMessage }
	})
}

function pointReply(reply: Uint8Array): { rejected: number; message: string } {
	return readPartial(reply, () => {
		const partial = ProtobufMetricsSerializer.deserializeResponse(reply).partialSuccess
		return { rejected: partial?.rejectedDataPoints, message: partial?.errorMessage }
	})
}

function readPartial(
	reply: Uint8Array,
	read: () => { rejected: number | undefined; message: string | undefined },
): { rejected: number; message: string } {
	if (reply.length === 0) return { rejected: 0, message: '' }
	try {
		const { rejected = 0, message = '' } = read()
		return { rejected: Math.max(0, rejected), message }
	} catch (error) {
		// The status was OK: the data is there. That the answer cannot be read is worth a line, not a second sending.
		return {
			rejected: 0,
			message: `unreadable answer: ${error instanceof Error ? error.message : String(error)}`,
		}
	}
}
