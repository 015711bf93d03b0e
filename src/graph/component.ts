import type { ArgsSchema, ExportsSchema } from '../eval/args.ts'
import type { Value } from '../eval/values.ts'
import type { LiveChannel } from '../flow/live.ts'
import type { Accounting } from '../telemetry/accounting.ts'
import type { Logger } from '../telemetry/log.ts'
import type { HealthState } from './health.ts'

/** How settled a component, block or function is; `--stability.level` says what may be used. */
export type Stability = 'experimental' | 'public-preview' | 'generally-available'

/** What a component is given when it is built. */
export interface ComponentOptions<E> {
	/** Its id within its module: `otelcol.exporter.otlp.default`. */
	readonly id: string
	/** The module it stands in: `/` for the file itself, `/m.one` inside a custom component. */
	readonly path: string
	readonly logger: Logger
	/** A folder of its own, not yet made. */
	readonly dataPath: string
	readonly accounting: Accounting
	/** Where it shows what it passes on to whoever looks. */
	readonly live: LiveChannel
	/** Says what the component exports; the first time during `build`, before anything flows. */
	onStateChange(exports: E): void
	reportHealth(health: { readonly state: HealthState; readonly message: string }): void
}

/** A running component. `build` makes it with its ports open for wiring; nothing flows before `start`. */
export interface Component<A> {
	/** Called after everything it sends to has started. */
	start?(): Promise<void>
	/** New arguments while it runs. 'restart' asks to be built anew with them; throwing keeps the old ones in force. */
	update(args: A): undefined | 'restart'
	/** Called after everything that sends to it has stopped: drain, then let go. */
	stop(): Promise<void>
	/** Plain data for the component's page. */
	debugInfo?(): unknown
}

/** What the documentation, the language server and the graph want to know about a component. */
export interface ComponentMetadata {
	readonly summary: string
	/** Markdown: more than the summary. */
	readonly docs?: string
	/** Signals that its exported input takes, and signals it sends on: `traces`, `metrics`, `targets`, `records`, … */
	readonly consumes: readonly string[]
	readonly produces: readonly string[]
}

/** One kind of component. Everything Vör knows about `name` is here. */
export interface ComponentDefinition<A, E> {
	readonly name: string
	readonly stability: Stability
	readonly args: ArgsSchema<A>
	readonly exports: ExportsSchema<E>
	/** At most one, without a label. */
	readonly singleton?: boolean
	readonly metadata: ComponentMetadata
	build(options: ComponentOptions<E>, args: A): Component<A>
	/**
	 * When it is built anew, the old instance must stop before the new one starts (a listening socket, say). Without this a
	 * component that others send to overlaps with its successor until they send there; one that nobody sends to never does.
	 */
	readonly exclusive?: boolean
	/**
	 * For `validate`, where nothing is built: exports whose type depends on the arguments. An export that is absent here is
	 * taken to be an unknown value of its declared type.
	 */
	describeExports?(args: A): Readonly<Record<string, Value>>
}

export type AnyDefinition = ComponentDefinition<unknown, unknown>
