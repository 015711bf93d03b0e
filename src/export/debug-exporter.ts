import { closeSync, openSync, writeSync } from 'node:fs'
import type { Observer } from 'rxjs'
import type { MetricBatch, SpanBatch } from '../model/batch.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import type { Logger } from '../telemetry/log.ts'
import { VorError } from '../util/errors.ts'
import { type DebugText, detailedText, normalText } from './debug-text.ts'
import { countPoints } from './otlp-metric-writer.ts'

/** Arguments of `otelcol.exporter.debug`, with the defaults of Alloy. */
export interface DebugExporterOptions {
	readonly verbosity: 'basic' | 'normal' | 'detailed'
	/** Batches shown in each second before sampling begins. */
	readonly samplingInitial: number
	/** After them, every n-th is shown; 0 = none. */
	readonly samplingThereafter: number
	/** Into Vör's log; else into `outputPaths`, as plain text. */
	readonly useInternalLogger: boolean
	/** `stdout`, `stderr` or files, which are appended to. */
	readonly outputPaths: readonly string[]
}

export const DEBUG_EXPORTER_DEFAULTS: DebugExporterOptions = {
	verbosity: 'basic',
	samplingInitial: 2,
	samplingThereafter: 1,
	useInternalLogger: true,
	outputPaths: ['stdout'],
}

export interface DebugExporterDeps {
	readonly meter: StageMeter
	readonly log: Logger
	readonly version: string
	/** For tests: where plain text goes instead of `outputPaths`. */
	readonly write?: (text: string) => void
	readonly now?: () => number
}

export interface DebugExporter {
	readonly traces: Observer<SpanBatch>
	readonly metrics: Observer<MetricBatch>
	/** Closes its files. What still comes is counted and not shown. */
	stop(): void
}

/** Shows what arrives, as the Collector's debug exporter does. Whatever is sampled away counts as sent: it was taken. */
export function createDebugExporter(
	input: Partial<DebugExporterOptions>,
	deps: DebugExporterDeps,
): DebugExporter {
	const options = { ...DEBUG_EXPORTER_DEFAULTS, ...input }
	const text = textOf(options.verbosity, deps.version)
	const output: Output =
		options.useInternalLogger || deps.write !== undefined
			? { write: deps.write ?? (() => undefined), close: () => undefined }
			: openPaths(options.outputPaths)
	const show = options.useInternalLogger ? toLog(deps.log) : toText(output.write)
	const now = deps.now ?? (() => performance.now())
	const showTraces = sampler(options, now)
	const showMetrics = sampler(options, now)

	function count(items: number): void {
		deps.meter.received(items)
		deps.meter.sent(items)
	}

	return {
		stop: () => output.close(),
		traces: observer((batch) => {
			if (batch.spans.length === 0) return
			count(batch.spans.length)
			if (!showTraces()) return
			const resources = new Set(batch.spans.map((span) => span.resource)).size
			show('Traces', { 'resource spans': resources, spans: batch.spans.length }, text?.traces(batch))
		}),
		metrics: observer(({ metrics }) => {
			const points = countPoints(metrics)
			if (points === 0) return
			count(points)
			if (!showMetrics()) return
			const resources = new Set(metrics.map((metric) => metric.resource)).size
			const totals = { 'resource metrics': resources, metrics: metrics.length, 'data points': points }
			show('Metrics', totals, text?.metrics(metrics))
		}),
	}
}

type Show = (title: string, totals: Record<string, number>, text: string | undefined) => void

function textOf(verbosity: DebugExporterOptions['verbosity'], version: string): DebugText | undefined {
	switch (verbosity) {
		case 'basic':
			return undefined
		case 'normal':
			return normalText(version)
		case 'detailed':
			return detailedText(version)
		default:
			throw new VorError('E_CONFIG', `invalid verbosity "${String(verbosity)}"`, {
				fix: 'use "basic", "normal" or "detailed"',
			})
	}
}

/** The first `samplingInitial` of each second, then every `samplingThereafter`-th. */
function sampler(options: DebugExporterOptions, now: () => number): () => boolean {
	let second = Number.NEGATIVE_INFINITY
	let seen = 0
	return () => {
		const time = now()
		if (time - second >= 1000) {
			second = time
			seen = 0
		}
		const over = ++seen - options.samplingInitial
		return over <= 0 || (options.samplingThereafter > 0 && over % options.samplingThereafter === 0)
	}
}

function toLog(log: Logger): Show {
	return (title, totals, text) => {
		log.info(
			title,
			Object.fromEntries(Object.entries(totals).map(([name, value]) => [name.replace(' ', '_'), value])),
		)
		if (text !== undefined) log.info(text)
	}
}

function toText(write: (text: string) => void): Show {
	return (title, totals, text) => {
		const list = Object.entries(totals).map(([name, value]) => `"${name}": ${value}`)
		write(`${title}\t{${list.join(', ')}}\n${text === undefined ? '' : `${text}\n`}`)
	}
}

interface Output {
	write(text: string): void
	close(): void
}

function openPaths(paths: readonly string[]): Output {
	const opened: number[] = []
	const files = paths.map((path) => {
		if (path === 'stdout') return 1
		if (path === 'stderr') return 2
		try {
			const file = openSync(path, 'a', 0o600)
			opened.push(file)
			return file
		} catch (error) {
			for (const file of opened) closeSync(file)
			const reason = (error as NodeJS.ErrnoException).code ?? String(error)
			throw new VorError('E_FILE', `cannot open output_paths entry ${path}: ${reason}`, { cause: error })
		}
	})
	let open = true
	return {
		write(text) {
			if (open) for (const file of files) writeWhole(file, text)
		},
		close() {
			if (open) for (const file of opened) closeSync(file)
			open = false
		},
	}
}

/** A full pipe makes a synchronous write fail part of the way (EAGAIN); the rest of a debug text is then let go. */
function writeWhole(file: number, text: string): void {
	try {
		writeSync(file, text)
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
	}
}

function observer<T>(next: (batch: T) => void): Observer<T> {
	return { next, error: () => undefined, complete: () => undefined }
}
