import type { Observable } from 'rxjs'
import type { ClockOffset, MetricBatch, RawBatch, SpanBatch } from '../model/batch.ts'
import type { ProcessFact } from '../model/process-fact.ts'
import type { Resource } from '../model/resource.ts'
import type { Labels, MetricFamily } from '../telemetry/metric-family.ts'
import type { Tracer } from '../telemetry/tracer.ts'
import type { VorError } from '../util/errors.ts'

/**
 * What the components of one process share and what the outside reads of them. Made once by the command; components put
 * themselves in when they are built and out when they stop.
 */
export interface Services {
	readonly version: string
	/** The resource of a process; of this host, or of the recording's. */
	readonly resourceOf: (fact: ProcessFact) => Resource
	/** Where raw batches come from instead of the kernel: a recording. undefined = the kernel. */
	readonly source: (() => Observable<RawBatch>) | undefined
	/** Every raw batch of every source passes here first; for a recording of what a pipeline saw. */
	readonly tap: ((batch: RawBatch) => void) | undefined
	/** Vör's traces of itself; absent where none are made (a replay, a check). */
	readonly ownTraces: OwnTraces | undefined
	/** Asks every source to tell of all processes again: a stage was built that knows none. */
	announceProcesses(): void
	/** Why a source could not start; the first load ends the program with it. */
	readonly startFailures: VorError[]
	readonly sources: Roster<SourceView>
	readonly aggregates: Roster<AggregateView>
	readonly correlators: Roster<CorrelateView>
	readonly propagators: Roster<{ readonly families: (labels: Labels) => MetricFamily[] }>
	readonly exporters: Roster<{ readonly families: (labels: Labels) => MetricFamily[] }>
	/** `local.file` and whatever else has only its own metrics to show. */
	readonly others: Roster<{ readonly families: (labels: Labels) => MetricFamily[] }>
	/** RED metrics of one `beyla.ebpf` alone: what its `targets` point to. */
	readonly scrapes: Roster<() => MetricBatch>
}

/** What Vör does, as traces; and how to tell those from the traffic they travel with. */
export interface OwnTraces extends Pick<Tracer, 'root'> {
	owns(batch: SpanBatch): boolean
}

/** An `ebpf.ringbuf`, as `/metrics`, `/-/ready` and `/api/v0/processes` see it. */
export interface SourceView {
	readonly attached: () => boolean
	readonly facts: () => readonly ProcessFact[]
	/** All facts travel again with the next batch. */
	readonly announce: () => void
	/** Somebody saw the process export a signal over OTLP itself. */
	readonly noteOtlpExport: (pid: number, startNs: number, signal: 'traces' | 'metrics') => void
	readonly families: (labels: Labels) => MetricFamily[]
	/** Resolves when the source has ended by itself: a recording was read to its end. */
	readonly ended: Promise<void>
}

export interface AggregateView {
	/** At the pipeline's newest time. */
	readonly collect: () => MetricBatch
	readonly clock: () => { readonly timeNs: number; readonly offset: ClockOffset }
	readonly unreadable: () => readonly {
		readonly service: string
		readonly protocol: string
		readonly connections: number
	}[]
	readonly families: (labels: Labels) => MetricFamily[]
}

export interface CorrelateView {
	readonly parentAbsent: () => readonly (readonly [reason: string, count: number])[]
	readonly parentPresent: () => readonly (readonly [evidence: string, count: number])[]
	readonly families: (labels: Labels) => MetricFamily[]
}

/** Which component it is: its id within its module, and the module. `ComponentOptions` is one. */
export interface ComponentRef {
	readonly path: string
	readonly id: string
}

/** As the HTTP paths name it: `beyla.ebpf.x`, in a module `m.one/beyla.ebpf.x`. */
export const fullId = ({ path, id }: ComponentRef): string => (path === '/' ? id : `${path.slice(1)}/${id}`)

/** Views by component. */
export interface Roster<View> {
	add(component: ComponentRef, view: View): void
	remove(component: ComponentRef, view: View): void
	entries(): readonly (readonly [component: ComponentRef, view: View])[]
}

export function createServices(
	options: Pick<Services, 'version' | 'resourceOf' | 'source' | 'tap'> & {
		readonly ownTraces?: OwnTraces | undefined
	},
): Services {
	const sources = createRoster<SourceView>()
	return {
		...options,
		ownTraces: options.ownTraces,
		announceProcesses() {
			for (const [, source] of sources.entries()) source.announce()
		},
		startFailures: [],
		sources,
		aggregates: createRoster(),
		correlators: createRoster(),
		propagators: createRoster(),
		exporters: createRoster(),
		others: createRoster(),
		scrapes: createRoster(),
	}
}

function createRoster<View>(): Roster<View> {
	const views = new Map<string, readonly [ComponentRef, View]>()
	const key = ({ path, id }: ComponentRef) => `${path}\u0000${id}`
	return {
		add: (component, view) =>
			void views.set(key(component), [{ path: component.path, id: component.id }, view]),
		remove(component, view) {
			// A rebuilt component may have taken the place already.
			if (views.get(key(component))?.[1] === view) views.delete(key(component))
		},
		entries: () => [...views.values()],
	}
}
