import type { ArgsOfFields } from '../../../eval/args.ts'
import { compileSelection } from '../../../process/selection.ts'
import { selectorsProblem } from './args/discovery.ts'
import { APPLICATION_FEATURES, TRACE_PRINTERS } from './args/names.ts'
import type { fields } from './args.ts'
import { selectionSource } from './discovery.ts'

type Args = ArgsOfFields<typeof fields>

/** What Alloy's own check of the whole block says, in its order and words; then what is ours to find. */
export function beylaProblem(args: Args): string | undefined {
	const { trace_printer: printer, traces, discovery } = args
	if (printer !== '' && !TRACE_PRINTERS.some((each) => each === printer))
		return `trace_printer: invalid value ${JSON.stringify(printer)}. Valid values are: ${TRACE_PRINTERS.join(', ')}`
	if ((traces.instrumentations.length > 0 || traces.sampler.name !== '') && args.output === undefined)
		return 'traces block is defined but output section is missing. When using traces configuration, you must define an output block'
	// Only a feature that is written asks for discovery; the default one does not.
	if (args.metrics.features.some((feature) => APPLICATION_FEATURES.has(feature))) {
		if (discovery.services.length + discovery.survey.length + discovery.instrument.length === 0)
			return 'discovery.services, discovery.instrument, or discovery.survey is required when application features are enabled'
		for (const [kind, list] of [
			['discovery', discovery.services],
			['survey', discovery.survey],
			['instrument', discovery.instrument],
		] as const) {
			const problem = selectorsProblem(list)
			if (problem !== undefined) return `invalid ${kind} configuration: ${problem}`
		}
	}
	for (const kind of ['exclude_services', 'exclude_instrument', 'default_exclude_instrument'] as const) {
		const problem = selectorsProblem(discovery[kind])
		if (problem !== undefined) return `invalid ${kind} configuration: ${problem}`
	}
	if (args.internal_metrics.exporter === 'otel' && (args.output?.metrics.length ?? 0) === 0)
		return 'internal_metrics.exporter = "otel" requires output.metrics to be configured'
	return patternProblem(args)
}

/** Alloy hands broken patterns and ports on to Beyla, which then does not start. */
function patternProblem(args: Args): string | undefined {
	const { errors } = compileSelection(selectionSource(args))
	return errors.length === 0 ? undefined : `invalid discovery configuration: ${errors.join('; ')}`
}
