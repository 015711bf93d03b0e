import { createAttributeFilter } from '../../../correlate/attribute-filter.ts'
import { createCorrelator } from '../../../correlate/index.ts'
import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { fanOutTraces } from '../../../flow/fan-out.ts'
import type { ExchangeConsumer } from '../../../flow/ports.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import { ABSENT_NAMES, EVIDENCE_NAMES } from '../../../model/record.ts'
import { createDescribers } from '../../../protocols/index.ts'
import { exchangeConsumer, present } from '../../common/capsules.ts'
import { createOutlet } from '../../common/outlet.ts'
import { routesOf } from '../../common/routes-args.ts'
import type { CorrelateView, Services } from '../../services.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'

type Args = ArgsOf<typeof schema>

export const defineCorrelate = (
	services: Services,
): ComponentDefinition<Args, { readonly input: ExchangeConsumer | undefined }> => ({
	name: 'ebpf.correlate',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ input: exchangeConsumer }),
	metadata,
	build(options, first) {
		let args = first
		const meter = options.accounting.meter(options.path, options.id)
		const outlet = createOutlet('spans', options.live)
		const correlator = createCorrelator({
			meter,
			describers: createDescribers({ profile: args.profile, debugAttributes: args.debug_attributes }),
			resourceOf: services.resourceOf,
			routes: routesOf(args.routes),
			attributes: createAttributeFilter(args.attributes),
			excludeOtelInstrumented: args.exclude_otel_instrumented_services,
			onOtlpExporter(pid, startNs, signal) {
				for (const [, source] of services.sources.entries()) source.noteOtlpExport(pid, startNs, signal)
			},
		})
		// It knows no process yet; the sources tell of all of them with their next batch.
		services.announceProcesses()
		outlet.wire(fanOutTraces(present(args.output.spans)))
		const view: CorrelateView = {
			parentAbsent: () => [
				...ABSENT_NAMES.map((name, i) => [name, correlator.counters.parentAbsent[i] ?? 0] as const),
				['client_not_exported', correlator.counters.parentUnseen] as const,
			],
			parentPresent: () =>
				EVIDENCE_NAMES.map((name, i) => [name, correlator.counters.parentByEvidence[i] ?? 0] as const),
			families: (labels) => [
				{
					name: 'vor_unknown_process_total',
					type: 'counter',
					help: 'Exchanges of processes of which nothing was known.',
					samples: [{ suffix: '', labels, value: correlator.counters.unknownProcess }],
				},
			],
		}
		services.correlators.add(options, view)
		let stopped = false
		const flush = () => {
			for (const part of correlator.flush()) outlet.next(part)
		}
		const exchanges: ExchangeConsumer['exchanges'] = {
			next(batch) {
				for (const part of correlator.process(batch)) outlet.next(part)
				// Replaced, but whoever sends has not been told yet: nothing may stay here.
				if (stopped) flush()
			},
			error: outlet.error,
			complete() {
				flush()
				outlet.complete()
			},
		}
		options.onStateChange({ input: { kind: 'exchanges', owner: options.id, mutates: false, exchanges } })
		return {
			update(next) {
				const { output, ...settings } = next
				const { output: _, ...before } = args
				if (JSON.stringify(settings) !== JSON.stringify(before)) return 'restart'
				args = next
				outlet.wire(fanOutTraces(present(output.spans)))
				return undefined
			},
			async stop() {
				stopped = true
				flush()
				services.correlators.remove(options, view)
			},
		}
	},
})
