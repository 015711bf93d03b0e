import { createAggregator } from '../../../aggregate/index.ts'
import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { fanOutMetrics } from '../../../flow/fan-out.ts'
import type { TelemetryConsumer } from '../../../flow/ports.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import type { ClockOffset } from '../../../model/batch.ts'
import { present, telemetryConsumer } from '../../common/capsules.ts'
import { createOutlet } from '../../common/outlet.ts'
import type { AggregateView, Services } from '../../services.ts'
import { args as schema } from './args.ts'
import { aggregateFamilies } from './families.ts'
import { metadata } from './metadata.ts'

type Args = ArgsOf<typeof schema>

export const defineAggregate = (
	services: Services,
): ComponentDefinition<Args, { readonly input: TelemetryConsumer | undefined }> => ({
	name: 'ebpf.aggregate',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ input: telemetryConsumer }),
	metadata,
	build(options, first) {
		let args = first
		const aggregator = createAggregator({
			meter: options.accounting.meter(options.path, options.id),
			resourceOf: services.resourceOf,
			profile: args.profile,
			seriesLimit: args.series_limit,
			ttlMs: args.ttl,
			attributes: args.attributes,
		})
		services.announceProcesses()
		const outlet = createOutlet('metrics', options.live)
		const wire = () => outlet.wire(fanOutMetrics(present(args.output.metrics)))
		wire()
		// The pipeline's time: that of the newest batch. Sources send one at least twice a second.
		let timeNs = 0
		let offset: ClockOffset = { seconds: 0, nanos: 0 }
		let dueNs = 0
		let exported = false
		const push = () => {
			if (timeNs === 0 || args.output.metrics.length === 0) return
			exported = true
			outlet.next(aggregator.collect(timeNs, offset))
		}
		const view: AggregateView = {
			collect: () => (timeNs === 0 ? { metrics: [] } : aggregator.collect(timeNs, offset)),
			clock: () => ({ timeNs, offset }),
			unreadable: () => aggregator.unreadable(),
			families: (labels) => aggregateFamilies(aggregator, labels),
		}
		services.aggregates.add(options, view)
		const traces: TelemetryConsumer['traces'] = {
			next(batch) {
				aggregator.process(batch)
				timeNs = batch.timeNs
				offset = batch.clockOffset
				if (dueNs === 0) dueNs = timeNs + args.interval * 1e6
				if (timeNs < dueNs) return
				// Stays on its grid; a long gap is one export, not many.
				const step = args.interval * 1e6
				dueNs += step * Math.ceil((timeNs - dueNs + 1) / step)
				push()
			},
			error: outlet.error,
			complete() {
				push()
				outlet.complete()
			},
		}
		options.onStateChange({
			input: { kind: 'telemetry', owner: options.id, mutates: false, traces, metrics: undefined },
		})
		return {
			update(next) {
				const settings = ({ series_limit, ttl, profile, attributes }: Args) =>
					JSON.stringify([series_limit, ttl, profile, attributes])
				if (settings(next) !== settings(args)) return 'restart'
				if (next.interval !== args.interval) dueNs = 0
				args = next
				wire()
				return undefined
			},
			async stop() {
				// What was counted since the last export; nothing when nothing ever was.
				if (exported || timeNs > 0) push()
				services.aggregates.remove(options, view)
			},
		}
	},
})
