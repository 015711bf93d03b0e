import type { Scope } from '../eval/scope.ts'
import type { Accounting } from '../telemetry/accounting.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Tracer } from '../telemetry/tracer.ts'
import type { Stability } from './component.ts'
import type { EvaluationMetrics } from './evaluation-metrics.ts'
import type { Fetcher } from './import-source.ts'
import type { Registry } from './registry.ts'

/** What every node of one graph shares. */
export interface Shared {
	readonly registry: Registry
	readonly accounting: Accounting
	readonly logger: Logger
	readonly storagePath: string
	readonly stability: Stability
	readonly stdlib: Scope
	readonly fetcher: Fetcher
	/** Only check: components are not built, what they would export is unknown. */
	readonly dry: boolean
	/** Everything is being stopped: totals stay readable for the last report. */
	stopping: boolean
	readonly metrics: EvaluationMetrics
	readonly tracer: Tracer
	/** Aborted when everything is being stopped: what is being fetched is not waited for. */
	readonly ending: AbortSignal
	/** Decoded arguments of `logging`, `tracing`, `http`, `livedebugging` once the configuration is in force. */
	configure(name: string, args: unknown): void
	/** A node's health or exports have changed. */
	changed(event: NodeEvent): void
	/** Asks for `module.settle()` soon, once however often it is asked. */
	schedule(module: { settle(): void }): void
}

export interface NodeEvent {
	readonly kind: 'health' | 'exports'
	/** Id of the module, '' at the root. */
	readonly module: string
	readonly id: string
}

let clock = 0

/** A number that only grows: tells whether something changed after it was last looked at. */
export const tick = (): number => ++clock
