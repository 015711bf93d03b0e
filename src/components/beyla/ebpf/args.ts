import { type ArgsOf, attr, block, defineArgs, optionalBlock } from '../../../eval/args.ts'
import { bool, duration, string } from '../../../eval/types.ts'
import { telemetryConsumers } from '../../common/capsules.ts'
import { attributesArgs } from './args/attributes.ts'
import { later, oneOf } from './args/common.ts'
import { discoveryArgs } from './args/discovery.ts'
import { ebpfArgs } from './args/ebpf.ts'
import { filtersArgs } from './args/filters.ts'
import { injectorArgs, javaagentArgs, jvmRuntimeArgs, nodejsArgs } from './args/injector.ts'
import { metricsArgs, tracesArgs } from './args/metrics.ts'
import { TRACE_PRINTERS } from './args/names.ts'
import { statsArgs } from './args/network.ts'
import { routesArgs } from './args/routes.ts'
import { beylaProblem } from './validate.ts'

/**
 * Everything that Alloy's decoder takes. It has no defaults: a zero value (`""`, `0`, `false`, `[]`) counts as not
 * written, and then the engine's default holds; so here.
 */
export const fields = {
	discovery: block(discoveryArgs, { doc: 'What to instrument. Without an entry: nothing.' }),
	output: optionalBlock(
		{
			traces: attr(telemetryConsumers, { doc: 'Where spans go.' }),
			metrics: attr(telemetryConsumers, { doc: 'Where metrics go; they are at `/metrics` in any case.' }),
			logs: later(telemetryConsumers),
		},
		{ doc: 'Where what was seen goes.' },
	),
	routes: block(routesArgs, { doc: 'How paths become routes.' }),
	attributes: optionalBlock(attributesArgs, { doc: 'What spans, metrics and resources carry.' }),
	metrics: block(metricsArgs),
	traces: block(tracesArgs),
	open_port: attr(string, { deprecated: 'use discovery.instrument with open_ports' }),
	executable_name: attr(string, { deprecated: 'use discovery.instrument with exe_path' }),
	enforce_sys_caps: attr(bool, {
		doc: 'Vör always refuses to start without the privileges it needs, and says which.',
	}),
	trace_printer: attr(oneOf(TRACE_PRINTERS), {
		notYet: true,
		default: 'disabled',
		doc: 'Instead, send traces to `otelcol.exporter.debug`.',
	}),
	debug: attr(bool, { notYet: true, deprecated: 'use the logging block' }),
	log_level: later(string, 'Instead, use the `logging` block.'),
	ebpf: block(ebpfArgs, { doc: "Beyla's knobs of its eBPF programs." }),
	filters: block(filtersArgs, { notYet: true }),
	stats: block(statsArgs, { notYet: true }),
	injector: block(injectorArgs, { notYet: true }),
	javaagent: block(javaagentArgs, { notYet: true }),
	nodejs: block(nodejsArgs, { notYet: true }),
	jvm_runtime_metrics: block(jvmRuntimeArgs, { notYet: true }),
	internal_metrics: block(
		{
			exporter: attr(oneOf(['disabled', 'prometheus', 'otel'])),
			bpf_metric_scrape_interval: attr(duration),
		},
		{ notYet: true, doc: "Vör's own metrics are always at `/metrics`." },
	),
}

export const args = defineArgs(fields, { validate: beylaProblem })

export type BeylaArgs = ArgsOf<typeof args>
