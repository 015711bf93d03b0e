import type { ArgsOf, ArgsSchema } from '../../../eval/args.ts'
import type { Port } from '../../../flow/ports.ts'
import type { Component, ComponentDefinition, ComponentOptions } from '../../../graph/component.ts'
import { defineAggregate } from '../../ebpf/aggregate/component.ts'
import { defineCorrelate } from '../../ebpf/correlate/component.ts'
import { defineDecode } from '../../ebpf/decode/component.ts'
import { definePropagate } from '../../ebpf/propagate/component.ts'
import { defineRingbuf } from '../../ebpf/ringbuf/component.ts'
import type { Services } from '../../services.ts'
import type { BeylaArgs } from './component.ts'

/** The stages of one `beyla.ebpf` block, wired one after the other. */
export interface Line {
	start(): Promise<void>
	update(args: BeylaArgs): undefined | 'restart'
	stop(): Promise<void>
	debugInfo(): unknown
}

interface Stage<A> {
	readonly component: Component<A>
	readonly input: Port | undefined
}

export function createLine(services: Services, parent: ComponentOptions<never>, first: BeylaArgs): Line {
	const label = parent.id.slice(parent.id.lastIndexOf('.') + 1)
	const path = `${parent.path === '/' ? '' : parent.path}/${parent.id}`

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

	const aggregateArgs = (args: BeylaArgs): AggregateArgs => ({
		...defaults(definitions.aggregate),
		output: { metrics: args.output?.metrics ?? [] },
	})
	const propagateArgs = (args: BeylaArgs): PropagateArgs => ({
		...defaults(definitions.propagate),
		output: { traces: [...(args.output?.traces ?? []), aggregate?.input as never] },
	})
	const correlateArgs = (args: BeylaArgs): CorrelateArgs => {
		const select = args.attributes?.select.find((each) => each.attr === 'traces')
		return {
			...defaults(definitions.correlate),
			exclude_otel_instrumented_services: args.discovery.exclude_otel_instrumented_services,
			routes: args.routes,
			attributes: { include: select?.include ?? [], exclude: select?.exclude ?? [] },
			output: { spans: [propagate.input as never] },
		}
	}
	const ringbufArgs = (args: BeylaArgs): RingbufArgs => ({
		...defaults(definitions.ringbuf),
		discovery: discoveryOf(args),
		output: { records: [decode.input as never] },
	})

	// Downstream first: each stage is handed the port of the next.
	const applicationMetrics = first.metrics.features.some((feature) =>
		['application', 'all', '*'].includes(feature),
	)
	const aggregate = applicationMetrics ? stage(definitions.aggregate, aggregateArgs(first)) : undefined
	const propagate = stage(definitions.propagate, propagateArgs(first))
	const correlate = stage(definitions.correlate, correlateArgs(first))
	const decode = stage(definitions.decode, {
		...defaults(definitions.decode),
		output: { exchanges: [correlate.input as never] },
	})
	const ringbuf = stage(definitions.ringbuf, ringbufArgs(first))
	let current = first

	return {
		start: async () => ringbuf.component.start?.(),
		update(next) {
			const same = (pick: (args: BeylaArgs) => unknown) =>
				JSON.stringify(pick(next)) === JSON.stringify(pick(current))
			// What shapes a stage in the middle builds the line anew; selection and wiring change in place.
			if (!same((args) => [args.metrics, args.routes, args.attributes, args.traces])) return 'restart'
			if (!same((args) => args.discovery.exclude_otel_instrumented_services)) return 'restart'
			current = next
			aggregate?.component.update(aggregateArgs(next))
			propagate.component.update(propagateArgs(next))
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

/** As Beyla: without any entry nothing is selected. The old `open_port` and `executable_name` are one entry more. */
function discoveryOf(args: BeylaArgs): RingbufArgs['discovery'] {
	const instrument = [...args.discovery.instrument]
	const empty = {
		name: '',
		namespace: '',
		open_ports: '',
		exe_path: '',
		cmd_args: '',
		languages: '',
		target_pids: [],
		containers_only: false,
		exports: undefined,
	}
	if (args.open_port !== '' || args.executable_name !== '') {
		instrument.push({
			...empty,
			open_ports: args.open_port,
			exe_path: args.executable_name && `*${args.executable_name}*`,
		})
	}
	if (instrument.length === 0) instrument.push({ ...empty, target_pids: [0] })
	return { ...args.discovery, instrument }
}
