import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { fanOutTraces } from '../../../flow/fan-out.ts'
import type { SpanConsumer } from '../../../flow/ports.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import type { SpanBatch } from '../../../model/batch.ts'
import { createPropagator } from '../../../propagate/index.ts'
import type { Labels } from '../../../telemetry/metric-family.ts'
import { present, spanConsumer } from '../../common/capsules.ts'
import { createOutlet } from '../../common/outlet.ts'
import type { Services } from '../../services.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'

type Args = ArgsOf<typeof schema>

export const definePropagate = (
	services: Services,
): ComponentDefinition<Args, { readonly input: SpanConsumer | undefined }> => ({
	name: 'ebpf.propagate',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ input: spanConsumer }),
	metadata,
	build(options, first) {
		let args = first
		let newestNs = 0
		let stopped = false
		const propagator = createPropagator({
			meter: options.accounting.meter(options.path, options.id),
			holdMs: args.hold,
			maxHeld: args.max_held,
			debugAttributes: args.debug_attributes,
		})
		const outlet = createOutlet('spans', options.live)
		outlet.wire(fanOutTraces(present(args.output.traces)))
		const view = {
			families: (labels: Labels) => [
				{
					name: 'vor_join_total',
					type: 'counter' as const,
					help: 'Same-host joins tried in user space, by outcome.',
					samples: Object.entries(propagator.counters).map(([outcome, value]) => ({
						suffix: '',
						labels: [...labels, ['outcome', outcome] as const],
						value,
					})),
				},
			],
		}
		services.propagators.add(options, view)
		const emit = (parts: readonly SpanBatch[]) => {
			for (const part of parts) outlet.next(part)
		}
		const spans: SpanConsumer['spans'] = {
			next(batch) {
				newestNs = batch.timeNs
				emit(propagator.process(batch))
				// Replaced, but whoever sends has not been told yet: nothing may stay here.
				if (stopped) emit(propagator.flush(newestNs, true))
			},
			error: outlet.error,
			complete() {
				emit(propagator.flush(newestNs, true))
				outlet.complete()
			},
		}
		options.onStateChange({ input: { kind: 'spans', owner: options.id, mutates: true, spans } })
		return {
			update(next) {
				const { output, ...settings } = next
				const { output: _, ...before } = args
				if (JSON.stringify(settings) !== JSON.stringify(before)) return 'restart'
				args = next
				outlet.wire(fanOutTraces(present(output.traces)))
				return undefined
			},
			async stop() {
				stopped = true
				emit(propagator.flush(newestNs, true))
				services.propagators.remove(options, view)
			},
		}
	},
})
