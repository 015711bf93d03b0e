import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from './spawn.ts'

/** What the tests read of a span, as the real Collector decoded it. */
export interface JudgedSpan {
	readonly service: string
	readonly name: string
	/** OTLP number, see SPAN_KIND. */
	readonly kind: number
	readonly traceId: string
	readonly spanId: string
	/** '' for a root. */
	readonly parentSpanId: string
	readonly traceState: string
	readonly flags: number
	readonly startNs: bigint
	readonly endNs: bigint
	readonly attributes: JudgedAttributes
	readonly resource: JudgedAttributes
	readonly status: { readonly code: number; readonly message: string }
	/** `name@version`. */
	readonly scope: string
}

/** Ints arrive as bigint, so that a test sees whether a number travelled as int or as double. */
export type JudgedAttributes = Readonly<Record<string, JudgedValue>>
export type JudgedValue = string | boolean | bigint | number | readonly JudgedValue[] | undefined

export interface JudgedMetric {
	readonly service: string
	readonly name: string
	readonly unit: string
	readonly description: string
	readonly kind: 'histogram' | 'sum' | 'gauge'
	/** 2 = cumulative. */
	readonly temporality: number
	readonly monotonic: boolean
	readonly resource: JudgedAttributes
	readonly scope: string
	readonly points: readonly JudgedPoint[]
}

export interface JudgedPoint {
	readonly attributes: JudgedAttributes
	readonly startNs: bigint
	readonly timeNs: bigint
	readonly value: number | bigint | undefined
	readonly count: bigint
	readonly sum: number
	readonly bucketCounts: readonly bigint[]
	readonly bounds: readonly number[]
}

export interface Collector {
	/** `127.0.0.1:port`, OTLP over gRPC. */
	readonly endpoint: string
	readonly port: number
	/** All that it has written so far. */
	traces(): JudgedSpan[]
	metrics(): JudgedMetric[]
	/** Waits until `done` says true of the spans; fails with what is there. */
	waitForTraces(done: (spans: JudgedSpan[]) => boolean, timeoutMs?: number): Promise<JudgedSpan[]>
	waitForMetrics(done: (metrics: JudgedMetric[]) => boolean, timeoutMs?: number): Promise<JudgedMetric[]>
	/** Its own log, with what the debug exporter printed when `debug` was asked for. */
	log(): string
	stop(): Promise<void>
}

export interface CollectorOptions {
	/** PEM files of the receiver; with `clientCaFile` it asks for client certificates. */
	readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string }
	/** A fixed port, for a backend that comes back. */
	readonly port?: number
	readonly debug?: 'basic' | 'normal' | 'detailed'
}

/** A real OpenTelemetry Collector on a free port; builds it first where that was not done yet (minutes). */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
	const binary = await collectorBinary()
	const folder = mkdtempSync(join(tmpdir(), 'vor-collector-'))
	const port = options.port ?? (await freePort())
	const tracesFile = join(folder, 'traces.jsonl')
	const metricsFile = join(folder, 'metrics.jsonl')
	writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config(options, port, tracesFile, metricsFile)))
	const child = spawn(binary, ['--config', `file:${join(folder, 'config.yaml')}`], {
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let log = ''
	const keep = (chunk: Buffer) => {
		log += chunk.toString()
	}
	child.stdout.on('data', keep)
	child.stderr.on('data', keep)
	const traces = () => readLines(tracesFile).flatMap(spansOf)
	const metrics = () => readLines(metricsFile).flatMap(metricsOf)
	const collector: Collector = {
		endpoint: `127.0.0.1:${port}`,
		port,
		traces,
		metrics,
		waitForTraces: (done, timeoutMs = 15_000) => until(traces, done, timeoutMs, () => log),
		waitForMetrics: (done, timeoutMs = 15_000) => until(metrics, done, timeoutMs, () => log),
		log: () => log,
		async stop() {
			await ended(child)
			rmSync(folder, { recursive: true, force: true })
		},
	}
	try {
		await until(
			collector.log,
			(text) => text.includes('Everything is ready') || child.exitCode !== null,
			20_000,
			collector.log,
		)
		if (child.exitCode !== null) throw new Error(`the collector ended at once:\n${log}`)
	} catch (error) {
		await collector.stop()
		throw error
	}
	return collector
}

async function collectorBinary(): Promise<string> {
	const script = new URL('../../scripts/collector.mjs', import.meta.url).href
	const { ensureCollector } = (await import(script)) as { ensureCollector(): Promise<string> }
	return await ensureCollector()
}

function config(options: CollectorOptions, port: number, tracesFile: string, metricsFile: string): unknown {
	const { tls, debug } = options
	const grpc = {
		endpoint: `127.0.0.1:${port}`,
		...(tls === undefined
			? {}
			: {
					tls: {
						cert_file: tls.certFile,
						key_file: tls.keyFile,
						...(tls.clientCaFile === undefined ? {} : { client_ca_file: tls.clientCaFile }),
					},
				}),
	}
	const also = debug === undefined ? [] : ['debug']
	return {
		receivers: { otlp: { protocols: { grpc } } },
		exporters: {
			'file/traces': { path: tracesFile, flush_interval: '100ms' },
			'file/metrics': { path: metricsFile, flush_interval: '100ms' },
			...(debug === undefined ? {} : { debug: { verbosity: debug, use_internal_logger: false } }),
		},
		service: {
			telemetry: { metrics: { level: 'none' } },
			pipelines: {
				traces: { receivers: ['otlp'], exporters: ['file/traces', ...also] },
				metrics: { receivers: ['otlp'], exporters: ['file/metrics', ...also] },
			},
		},
	}
}

export async function freePort(): Promise<number> {
	return await new Promise((resolve, reject) => {
		const server = createServer()
		server.on('error', reject)
		server.listen(0, '127.0.0.1', () => {
			const address = server.address()
			server.close(() =>
				address !== null && typeof address === 'object'
					? resolve(address.port)
					: reject(new Error('no port')),
			)
		})
	})
}

async function until<T>(
	read: () => T,
	done: (value: T) => boolean,
	timeoutMs: number,
	explain: () => string,
): Promise<T> {
	const deadline = performance.now() + timeoutMs
	for (;;) {
		const value = read()
		if (done(value)) return value
		if (performance.now() > deadline) {
			const count = Array.isArray(value) ? `${value.length} items there` : ''
			throw new Error(
				`the collector did not get there in ${timeoutMs} ms; ${count}\n${explain().slice(-3000)}`,
			)
		}
		await new Promise((resolve) => setTimeout(resolve, 50))
	}
}

async function ended(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return
	const exit = new Promise((resolve) => child.once('exit', resolve))
	child.kill('SIGTERM')
	const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
	await exit
	clearTimeout(timer)
}

interface OtlpValue {
	stringValue?: string
	boolValue?: boolean
	intValue?: string
	doubleValue?: number
	arrayValue?: { values?: OtlpValue[] }
}
type OtlpAttributes = { key: string; value: OtlpValue }[] | undefined
interface OtlpScope {
	name?: string
	version?: string
}
interface OtlpSpan {
	traceId: string
	spanId: string
	parentSpanId?: string
	traceState?: string
	flags?: number
	name?: string
	kind?: number
	startTimeUnixNano: string
	endTimeUnixNano: string
	attributes?: OtlpAttributes
	status?: { code?: number; message?: string }
}
interface OtlpPoint {
	attributes?: OtlpAttributes
	startTimeUnixNano?: string
	timeUnixNano?: string
	asInt?: string
	asDouble?: number
	count?: string
	sum?: number
	bucketCounts?: string[]
	explicitBounds?: number[]
}
interface OtlpMetric {
	name: string
	unit?: string
	description?: string
	histogram?: { dataPoints: OtlpPoint[]; aggregationTemporality?: number }
	sum?: { dataPoints: OtlpPoint[]; aggregationTemporality?: number; isMonotonic?: boolean }
	gauge?: { dataPoints: OtlpPoint[] }
}
interface OtlpLine {
	resourceSpans?: {
		resource?: { attributes?: OtlpAttributes }
		scopeSpans?: { scope?: OtlpScope; spans?: OtlpSpan[] }[]
	}[]
	resourceMetrics?: {
		resource?: { attributes?: OtlpAttributes }
		scopeMetrics?: { scope?: OtlpScope; metrics?: OtlpMetric[] }[]
	}[]
}

function readLines(path: string): OtlpLine[] {
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch {
		return []
	}
	// The last line may still be under way.
	return text
		.split('\n')
		.slice(0, -1)
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line) as OtlpLine)
}

function spansOf(line: OtlpLine): JudgedSpan[] {
	return (line.resourceSpans ?? []).flatMap((group) => {
		const resource = toAttributes(group.resource?.attributes)
		return (group.scopeSpans ?? []).flatMap(({ scope, spans = [] }) =>
			spans.map((span) => ({
				service: String(resource['service.name'] ?? ''),
				name: span.name ?? '',
				kind: span.kind ?? 0,
				traceId: span.traceId,
				spanId: span.spanId,
				parentSpanId: span.parentSpanId ?? '',
				traceState: span.traceState ?? '',
				flags: span.flags ?? 0,
				startNs: BigInt(span.startTimeUnixNano),
				endNs: BigInt(span.endTimeUnixNano),
				attributes: toAttributes(span.attributes),
				resource,
				status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
				scope: `${scope?.name ?? ''}@${scope?.version ?? ''}`,
			})),
		)
	})
}

function metricsOf(line: OtlpLine): JudgedMetric[] {
	return (line.resourceMetrics ?? []).flatMap((group) => {
		const resource = toAttributes(group.resource?.attributes)
		return (group.scopeMetrics ?? []).flatMap(({ scope, metrics = [] }) =>
			metrics.map((metric) => {
				const kind = metric.histogram !== undefined ? 'histogram' : metric.sum !== undefined ? 'sum' : 'gauge'
				const data = metric.histogram ?? metric.sum ?? metric.gauge
				return {
					service: String(resource['service.name'] ?? ''),
					name: metric.name,
					unit: metric.unit ?? '',
					description: metric.description ?? '',
					kind,
					temporality: metric.histogram?.aggregationTemporality ?? metric.sum?.aggregationTemporality ?? 0,
					monotonic: metric.sum?.isMonotonic ?? false,
					resource,
					scope: `${scope?.name ?? ''}@${scope?.version ?? ''}`,
					points: (data?.dataPoints ?? []).map(toPoint),
				} as const
			}),
		)
	})
}

function toPoint(point: OtlpPoint): JudgedPoint {
	return {
		attributes: toAttributes(point.attributes),
		startNs: BigInt(point.startTimeUnixNano ?? 0),
		timeNs: BigInt(point.timeUnixNano ?? 0),
		value: point.asInt === undefined ? point.asDouble : BigInt(point.asInt),
		count: BigInt(point.count ?? 0),
		sum: point.sum ?? 0,
		bucketCounts: (point.bucketCounts ?? []).map((count) => BigInt(count)),
		bounds: point.explicitBounds ?? [],
	}
}

function toAttributes(list: OtlpAttributes): JudgedAttributes {
	return Object.fromEntries((list ?? []).map(({ key, value }) => [key, toValue(value)]))
}

function toValue(value: OtlpValue): JudgedValue {
	if (value.stringValue !== undefined) return value.stringValue
	if (value.boolValue !== undefined) return value.boolValue
	if (value.intValue !== undefined) return BigInt(value.intValue)
	if (value.doubleValue !== undefined) return value.doubleValue
	if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(toValue)
	return undefined
}
