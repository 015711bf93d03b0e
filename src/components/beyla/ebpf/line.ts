import type { Observer } from 'rxjs'
import type { ArgsOf, ArgsSchema } from '../../../eval/args.ts'
import { fanOutTraces } from '../../../flow/fan-out.ts'
import type { Port, TelemetryConsumer } from '../../../flow/ports.ts'
import type { Component, ComponentDefinition, ComponentOptions } from '../../../graph/component.ts'
import { createAttributeFilter } from '../../../model/attribute-filter.ts'
import type { MetricBatch, SpanBatch } from '../../../model/batch.ts'
import type { Resource } from '../../../model/resource.ts'
import { present } from '../../common/capsules.ts'
import { createOutlet } from '../../common/outlet.ts'
import { defineAggregate } from '../../ebpf/aggregate/component.ts'
import { defineCorrelate } from '../../ebpf/correlate/component.ts'
import { defineDecode } from '../../ebpf/decode/component.ts'
import { definePropagate } from '../../ebpf/propagate/component.ts'
import { defineRingbuf } from '../../ebpf/ringbuf/component.ts'
import type { Roster, Services } from '../../services.ts'
import { RED_FEATURES } from './args/names.ts'
import type { BeylaArgs } from './args.ts'
import { createSettings, discoveryOf, type EntrySettings } from './discovery.ts'
import { createGate } from './gate.ts'
import { overrideIdentity } from './identity.ts'
import { createMetricSelection, withResourceLabels } from './metric-select.ts'
import { routesOf } from './routes.ts'
import { createSampler } from './sampler.ts'

/** The stages of one `beyla.ebpf` block, wired one after the other. */
export interface Line {
	start(): Promise<void>
	update(args: BeylaArgs): undefined | 'restart'
	stop(): Promise<void>
	debugInfo(): unknown
	/** RED metrics of this block alone, for its own page. */
	collect(): MetricBatch
}

interface Stage<A> {
	readonly component: Component<A>
	readonly input: Port | undefined
}

export function createLine(shared: Services, parent: ComponentOptions<never>, first: BeylaArgs): Line {
	const label = parent.id.slice(parent.id.lastIndexOf('.') + 1)
	const path = `${parent.path === '/' ? '' : parent.path}/${parent.id}`
	const selection = createMetricSelection(first.attributes?.select ?? [])
	const entries = createSettings(first)
	const settingsOf = new WeakMap<Resource, EntrySettings>()
	let collect = (): MetricBatch => ({ metrics: [] })
	const services = servicesOfLine()

	/** What the stages see of the process: resources as this block wants them, metrics as it selects them. */
	function servicesOfLine(): Services {
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

	function stage<A>(definition: ComponentDefinition<A, never>, args: A): Stage<A> {
		let input: Port | undefined
		const options: ComponentOptions<{ readonly input?: Port }> = {
			...parent,
			id: `${definition.name}.${label}`,
			path,
			onStateChange: (exports) => void (input = exports.input),
		}
		const component = definition.build(options as ComponentOptions<never>, args)
		return { component, input }
	}

	const definitions = {
		ringbuf: defineRingbuf(services) as never as ComponentDefinition<RingbufArgs, never>,
		decode: defineDecode() as never as ComponentDefinition<DecodeArgs, never>,
		correlate: defineCorrelate(services) as never as ComponentDefinition<CorrelateArgs, never>,
		propagate: definePropagate(services) as never as ComponentDefinition<PropagateArgs, never>,
		aggregate: defineAggregate(services) as never as ComponentDefinition<AggregateArgs, never>,
	}
	const defaults = <A>(definition: { readonly args: ArgsSchema<A> }): A => definition.args.defaults()

	const aggregateArgs = (args: BeylaArgs): AggregateArgs => {
		const base = defaults(definitions.aggregate)
		const metrics = present(args.output?.metrics ?? []).map((port) => selected(port, selection.apply))
		return {
			...base,
			ttl: args.metrics.ttl || base.ttl,
			attributes: selection.aggregate,
			output: { metrics },
		}
	}
	const correlateArgs = (args: BeylaArgs): CorrelateArgs => {
		const base = defaults(definitions.correlate)
		return {
			...base,
			exclude_otel_instrumented_services: args.discovery.exclude_otel_instrumented_services ?? true,
			routes: routesOf(args.routes, base.routes),
			output: { spans: [propagate.input as never] },
		}
	}
	const ringbufArgs = (args: BeylaArgs): RingbufArgs => ({
		...defaults(definitions.ringbuf),
		discovery: discoveryOf(args) as RingbufArgs['discovery'],
		output: { records: [decode.input as never] },
	})

	const tracesOut = createOutlet<SpanBatch>()
	const wireTraces = (args: BeylaArgs) => tracesOut.wire(fanOutTraces(present(args.output?.traces ?? [])))
	const tracesGate = (): TelemetryConsumer => {
		const exclude = (first.attributes?.select ?? [])
			.filter((section) => section.attr === 'traces')
			.flatMap((section) => section.exclude)
		const global = createSampler(first.traces.sampler)
		const samplers = new Map<EntrySettings, ReturnType<typeof createSampler>>()
		const samplerOf = (settings: EntrySettings) => {
			let sampler = samplers.get(settings)
			if (sampler === undefined) {
				sampler = settings.sampler === undefined ? global : createSampler(settings.sampler)
				samplers.set(settings, sampler)
			}
			return sampler
		}
		const read = readsHttp(first.traces.instrumentations)
		return createGate({
			owner: parent.id,
			meter: parent.accounting.meter(parent.path, parent.id),
			target: tracesOut,
			keeps(span) {
				const settings = settingsOf.get(span.resource)
				if (!read || settings?.traces === false) return false
				return (settings === undefined ? global : samplerOf(settings))(span)
			},
			...(exclude.length > 0 ? { attributes: createAttributeFilter({ include: [], exclude }) } : {}),
		})
	}
	/** Entries may keep their processes out of the metrics: to the aggregation those are not selected at all. */
	const metricsGate = (input: TelemetryConsumer): TelemetryConsumer =>
		entries.particular
			? createGate({
					owner: parent.id,
					meter: undefined,
					target: input.traces as Observer<SpanBatch>,
					keeps: (span) => settingsOf.get(span.resource)?.metrics !== false,
					fact: (fact) => (entries.of(fact).metrics ? fact : { ...fact, selection: 'rejected' }),
				})
			: input

	// Downstream first: each stage is handed the port of the next.
	const features = first.metrics.features
	const red = features.length === 0 || features.some((feature) => RED_FEATURES.has(feature))
	const aggregate =
		red && readsHttp(first.metrics.instrumentations)
			? stage(definitions.aggregate, aggregateArgs(first))
			: undefined
	wireTraces(first)
	const propagate = stage(definitions.propagate, {
		...defaults(definitions.propagate),
		output: {
			traces: [
				tracesGate(),
				...(aggregate === undefined ? [] : [metricsGate(aggregate.input as TelemetryConsumer)]),
			],
		},
	})
	const correlate = stage(definitions.correlate, correlateArgs(first))
	const decode = stage(definitions.decode, {
		...defaults(definitions.decode),
		output: { exchanges: [correlate.input as never] },
	})
	const ringbuf = stage(definitions.ringbuf, ringbufArgs(first))
	let current = first

	return {
		start: async () => ringbuf.component.start?.(),
		collect: () => collect(),
		update(next) {
			const same = (pick: (args: BeylaArgs) => unknown) =>
				JSON.stringify(pick(next)) === JSON.stringify(pick(current))
			// What shapes a stage in the middle builds the line anew; selection and wiring change in place.
			if (!same((args) => [args.metrics, args.routes, args.attributes, args.traces])) return 'restart'
			if (!same((args) => args.discovery.exclude_otel_instrumented_services)) return 'restart'
			if ((entries.particular || createSettings(next).particular) && !same((args) => args.discovery))
				return 'restart'
			current = next
			wireTraces(next)
			aggregate?.component.update(aggregateArgs(next))
			ringbuf.component.update(ringbufArgs(next))
			return undefined
		},
		async stop() {
			for (const each of [ringbuf, decode, correlate, propagate, aggregate]) await each?.component.stop()
		},
		debugInfo: () => ringbuf.component.debugInfo?.(),
	}
}

type RingbufArgs = ArgsOf<ReturnType<typeof defineRingbuf>['args']>
type DecodeArgs = ArgsOf<ReturnType<typeof defineDecode>['args']>
type CorrelateArgs = ArgsOf<ReturnType<typeof defineCorrelate>['args']>
type PropagateArgs = ArgsOf<ReturnType<typeof definePropagate>['args']>
type AggregateArgs = ArgsOf<ReturnType<typeof defineAggregate>['args']>

/** HTTP is what Vör reads. */
const readsHttp = (instrumentations: readonly string[]): boolean =>
	instrumentations.length === 0 || instrumentations.includes('*') || instrumentations.includes('http')

/** The port, with metrics changed on their way into it. */
function selected(port: TelemetryConsumer, apply: (batch: MetricBatch) => MetricBatch): TelemetryConsumer {
	const { metrics } = port
	if (metrics === undefined) return port
	return {
		...port,
		metrics: {
			next: (batch) => metrics.next(apply(batch)),
			error: (reason) => metrics.error(reason),
			complete: () => metrics.complete(),
		},
	}
}

/** The same roster, into which this line puts its views in another form. */
function adapted<View extends object>(roster: Roster<View>, change: (view: View) => View): Roster<View> {
	const changed = new Map<View, View>()
	return {
		add(id, view) {
			const other = change(view)
			changed.set(view, other)
			roster.add(id, other)
		},
		remove(id, view) {
			roster.remove(id, changed.get(view) ?? view)
			changed.delete(view)
		},
		entries: () => roster.entries(),
	}
}
