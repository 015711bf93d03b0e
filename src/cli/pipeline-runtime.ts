import type { Observable } from 'rxjs'
import { createComponentRegistry } from '../components/registry.ts'
import { createServices, type Services } from '../components/services.ts'
import type { Stability } from '../graph/component.ts'
import type { TracingArgs } from '../graph/config-blocks.ts'
import { createGraph, type Graph, type LoadResult } from '../graph/graph.ts'
import type { RawBatch } from '../model/batch.ts'
import { createResourceBuilder, type HostFact } from '../process/index.ts'
import { formatDiagnostic } from '../syntax/diag.ts'
import { renderDiagnostics } from '../syntax/render.ts'
import type { Source } from '../syntax/source.ts'
import { type Accounting, createAccounting } from '../telemetry/accounting.ts'
import { createLog, type LogFormat, type LogLevel, type RootLogger } from '../telemetry/log.ts'
import type { MetricRegistry } from '../telemetry/registry.ts'
import { version } from '../util/version.ts'
import type { CliIo } from './command.ts'
import { createOwnTracer, tracingSettings } from './own-tracing.ts'

/** Everything a pipeline needs to run in this process; made by `vor run` and `vor replay`. */
export interface PipelineRuntime {
	readonly graph: Graph
	readonly services: Services
	readonly accounting: Accounting
	readonly log: RootLogger
	/** Hands over what it still holds of its own traces; before the graph is stopped. */
	flushTraces(): void
}

export interface RuntimeOptions {
	readonly io: CliIo
	readonly host: HostFact
	readonly storagePath: string
	readonly stability: Stability
	readonly logLevel: LogLevel
	/** Where the graph counts its evaluations. */
	readonly metrics?: MetricRegistry
	/** Batches from elsewhere than the kernel. */
	readonly source?: () => Observable<RawBatch>
	/** Looks at every raw batch before the pipeline does; for a recording of what a pipeline saw. */
	readonly tap?: (batch: RawBatch) => void
}

export function createPipelineRuntime(options: RuntimeOptions): PipelineRuntime {
	const { io } = options
	const log = createLog({ level: options.logLevel, write: (line) => void io.stderr.write(line) })
	const accounting = createAccounting()
	// Times of a recording are another machine's: what Vör does now has no place among them.
	const tracer = options.source === undefined ? createOwnTracer(options.host, accounting) : undefined
	const services = createServices({
		version: version(),
		resourceOf: createResourceBuilder(options.host),
		source: options.source,
		tap: options.tap,
		ownTraces: tracer,
	})
	const graph = createGraph({
		registry: createComponentRegistry(services),
		accounting,
		logger: log,
		storagePath: options.storagePath,
		stabilityLevel: options.stability,
		env: io.env,
		version: `v${version()}`,
		...(options.metrics === undefined ? {} : { metrics: options.metrics }),
		...(tracer === undefined ? {} : { tracer }),
	})
	graph.events.on('configure', (name, args) => {
		if (name === 'tracing') tracer?.configure(tracingSettings(args as TracingArgs))
		if (name !== 'logging') return
		const { level, format } = args as { readonly level: LogLevel; readonly format: LogFormat }
		log.setLevel(level)
		log.setFormat(format)
	})
	return { graph, services, accounting, log, flushTraces: () => tracer?.flush() }
}

/** Shows why the first load failed, as Alloy does; the exit code. */
export function refuseLoad(result: LoadResult, io: CliIo): number {
	const sources = io.isTty
		? new Map<string, string | Source>([...result.sources, ...result.moduleTexts])
		: result.sources
	io.stderr.write(renderDiagnostics(result.diagnostics, sources, { color: io.isTty, explain: io.isTty }))
	io.stdout.write('\n')
	io.stderr.write('Error: could not perform the initial load successfully\n')
	return 1
}

/** One line for a log. */
export function firstProblem({ diagnostics }: LoadResult): string {
	const [first] = diagnostics
	if (first === undefined) return 'unknown problem'
	const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more diagnostics)` : ''
	return `${formatDiagnostic(first)}${more}`
}
