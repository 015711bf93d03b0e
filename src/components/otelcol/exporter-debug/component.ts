import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { createDebugExporter } from '../../../export/debug-exporter.ts'
import { shown } from '../../../flow/live.ts'
import type { TelemetryConsumer } from '../../../flow/ports.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import { telemetryConsumer } from '../../common/capsules.ts'
import type { Services } from '../../services.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'

type Args = ArgsOf<typeof schema>

export const defineDebugExporter = (
	services: Services,
): ComponentDefinition<Args, { readonly input: TelemetryConsumer | undefined }> => ({
	name: 'otelcol.exporter.debug',
	// As in Alloy.
	stability: 'experimental',
	args: schema,
	exports: defineExports({ input: telemetryConsumer }),
	metadata,
	build(options, args) {
		const exporter = createDebugExporter(
			{
				verbosity: args.verbosity,
				samplingInitial: args.sampling_initial,
				samplingThereafter: args.sampling_thereafter,
				useInternalLogger: args.use_internal_logger,
				outputPaths: args.output_paths,
			},
			{
				meter: options.accounting.meter(options.path, options.id),
				log: options.logger,
				version: services.version,
			},
		)
		options.onStateChange({
			input: {
				kind: 'telemetry',
				owner: options.id,
				mutates: false,
				traces: shown(options.live, 'spans', exporter.traces),
				metrics: shown(options.live, 'metrics', exporter.metrics),
			},
		})
		return { update: () => 'restart', stop: async () => exporter.stop() }
	},
})
