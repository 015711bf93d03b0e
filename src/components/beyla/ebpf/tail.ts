import type { Observer } from 'rxjs'
import type { ArgsOf } from '../../../eval/args.ts'
import { fanOutTraces } from '../../../flow/fan-out.ts'
import type { LiveChannel } from '../../../flow/live.ts'
import type { Port, TelemetryConsumer } from '../../../flow/ports.ts'
import type { ComponentDefinition, ComponentOptions } from '../../../graph/component.ts'
import { createAttributeFilter } from '../../../model/attribute-filter.ts'
import type { MetricBatch, SpanBatch } from '../../../model/batch.ts'
import type { Resource } from '../../../model/resource.ts'
import type { Span } from '../../../model/span.ts'
import { present } from '../../common/capsules.ts'
import { createOutlet } from '../../common/outlet.ts'
import { defineAggregate } from '../../ebpf/aggregate/component.ts'
import { defineCorrelate } from '../../ebpf/correlate/component.ts'
import { definePropagate } from '../../ebpf/propagate/component.ts'
import type { Roster, Services } from '../../services.ts'
import { RED_FEATURES } from './args/names.ts'
import type { BeylaArgs } from './args.ts'
import { createSettings, type EntrySettings } from './discovery.ts'
import { createGate } from './gate.ts'
import { overrideIdentity } from './identity.ts'
import { createMetricSelection, withResourceLabels } from './metric-select.ts'
import { routesOf } from './routes.ts'
import { createSampler, type Sampler } from './sampler.ts'
import { buildStage, defaultsOf } from './stage.ts'

/** From exchanges to spans and metrics: correlate, propagate, aggregate, and the gates of this block between them. */
export interface Tail {
	readonly input: Port | undefined
	/** For new outputs and samplers. */
	update(args: BeylaArgs): void
	stop(): Promise<void>
	collect(): MetricBatch
}

export function createTail(shared: Services, parent: ComponentOptions<never>, first: BeylaArgs): Tail {
	const selection = createMetricSelection(first.attributes?.select ?? [])
	const entries = createSettings(first)
	const settingsOf = new WeakMap<Resource, EntrySettings>()
	let collect = (): MetricBatch => ({ metrics: [] })
	const services = servicesOfBlock()

	/** What the stages see of the process: resources as this block wants them, metrics as it selects them. */
	function servicesOfBlock(): Services {
		const resourceOf = overrideIdentity(shared.resourceOf, {
			hostName: first.attributes?.instance_id.override_hostname ?? '',
			hostId: first.attributes?.host_id.override ?? '',
		})
		const aggregates: Services['aggregates'] = adapted(shared.aggregates, (view) => {
			collect = () => withResourceLabels(selection.apply(view.collect()), first.metrics.extra_resource_labels)
			return { ...view, collect }
		})
		return {
			...shared,
			aggregates,
			resourceOf(fact) {
				const resource = resourceOf(fact)
				settingsOf.set(resource, entries.of(fact))
				return resource
			},
		}
	}

	const correlateOf = defineCorrelate(services) as never as ComponentDefinition<CorrelateArgs, never>
	const propagateOf = definePropagate(services) as never as ComponentDefinition<PropagateArgs, never>
	const aggregateOf = defineAggregate(services) as never as ComponentDefinition<AggregateArgs, never>

	const aggregateArgs = (args: BeylaArgs): AggregateArgs => {
		const base = defaultsOf(aggregateOf)
		const metrics = present(args.output?.metrics ?? []).map((port, i) =>
			selected(port, selection.apply, i === 0 ? parent.live : undefined),
		)
		return {
			...base,
			ttl: args.metrics.ttl || base.ttl,
			attributes: selection.aggregate,
			output: { metrics },
		}
	}

	/** Aggregation, behind a gate where entries keep their processes out: to it those are not selected at all. */
	function metricsInput(input: TelemetryConsumer): TelemetryConsumer {
		if (!entries.particular) return input
		return createGate({
			owner: parent.id,
			meter: undefined,
			target: input.traces as Observer<SpanBatch>,
			keeps: (span) => settingsOf.get(span.resource)?.metrics !== false,
			fact: (fact) => (entries.of(fact).metrics ? fact : { ...fact, selection: 'rejected' }),
		})
	}

	const tracesOut = createOutlet('spans', parent.live)
	let keeps = (_span: Span): boolean => true
	const wireTraces = (args: BeylaArgs) => {
		tracesOut.wire(fanOutTraces(present(args.output?.traces ?? [])))
		keeps = traceDecision(args, settingsOf)
	}
	const tracesInput = (): TelemetryConsumer => {
		const exclude = (first.attributes?.select ?? [])
			.filter((section) => section.attr === 'traces')
			.flatMap((section) => section.exclude)
		return createGate({
			owner: parent.id,
			meter: parent.accounting.meter(parent.path, parent.id),
			target: tracesOut,
			keeps: (span) => keeps(span),
			...(exclude.length > 0 ? { attributes: createAttributeFilter({ include: [], exclude }) } : {}),
		})
	}

	wireTraces(first)
	const { features, instrumentations } = first.metrics
	const red = features.length === 0 || features.some((feature) => RED_FEATURES.has(feature))
	const aggregate =
		red && readsHttp(instrumentations) ? buildStage(parent, aggregateOf, aggregateArgs(first)) : undefined
	const propagate = buildStage(parent, propagateOf, {
		...defaultsOf(propagateOf),
		output: {
			traces: [
				tracesInput(),
				...(aggregate === undefined ? [] : [metricsInput(aggregate.input as TelemetryConsumer)]),
			],
		},
	})
	const base = defaultsOf(correlateOf)
	const correlate = buildStage(parent, correlateOf, {
		...base,
		exclude_otel_instrumented_services: first.discovery.exclude_otel_instrumented_services ?? true,
		routes: routesOf(first.routes, base.routes),
		output: { spans: [propagate.input as never] },
	})

	return {
		input: correlate.input,
		update(next) {
			wireTraces(next)
			aggregate?.component.update(aggregateArgs(next))
		},
		async stop() {
			for (const each of [correlate, propagate, aggregate]) await each?.component.stop()
		},
		collect: () => collect(),
	}
}

type CorrelateArgs = ArgsOf<ReturnType<typeof defineCorrelate>['args']>
type PropagateArgs = ArgsOf<ReturnType<typeof definePropagate>['args']>
type AggregateArgs = ArgsOf<ReturnType<typeof defineAggregate>['args']>

/** Whether a span is exported: by its protocol, by the entry that selected its process, by the sampler. */
function traceDecision(
	{ traces }: BeylaArgs,
	settingsOf: { get(resource: Resource): EntrySettings | undefined },
): (span: Span) => boolean {
	if (!readsHttp(traces.instrumentations)) return () => false
	const global = createSampler(traces.sampler)
	const samplers = new Map<EntrySettings, Sampler>()
	return (span) => {
		const settings = settingsOf.get(span.resource)
		if (settings === undefined) return global(span)
		if (!settings.traces) return false
		if (settings.sampler === undefined) return global(span)
		let sampler = samplers.get(settings)
		if (sampler === undefined) {
			sampler = createSampler(settings.sampler)
			samplers.set(settings, sampler)
		}
		return sampler(span)
	}
}

/** HTTP is what Vör reads. */
const readsHttp = (instrumentations: readonly string[]): boolean =>
	instrumentations.length === 0 || instrumentations.includes('*') || instrumentations.includes('http')

/** The port, with metrics changed on their way into it, and shown in `live`. */
function selected(
	port: TelemetryConsumer,
	apply: (batch: MetricBatch) => MetricBatch,
	live: LiveChannel | undefined,
): TelemetryConsumer {
	const { metrics } = port
	if (metrics === undefined) return port
	return {
		...port,
		metrics: {
			next(batch) {
				const wanted = apply(batch)
				live?.listener?.('metrics', wanted)
				metrics.next(wanted)
			},
			error: (reason) => metrics.error(reason),
			complete: () => metrics.complete(),
		},
	}
}

/** The same roster, into which this block puts its views in another form. */
function adapted<View extends object>(roster: Roster<View>, change: (view: View) => View): Roster<View> {
	const changed = new Map<View, View>()
	return {
		add(component, view) {
			const other = change(view)
			changed.set(view, other)
			roster.add(component, other)
		},
		remove(component, view) {
			roster.remove(component, changed.get(view) ?? view)
			changed.delete(view)
		},
		entries: () => roster.entries(),
	}
}
