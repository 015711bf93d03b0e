import { attr, block, defineArgs } from '../../../eval/args.ts'
import { bool, enumOf, list, string } from '../../../eval/types.ts'
import { spanConsumers } from '../../common/capsules.ts'
import { routesArgs } from '../../common/routes-args.ts'

export const args = defineArgs({
	profile: attr(enumOf(['grafana', 'strict', 'beyla']), {
		default: 'grafana',
		doc: 'Naming: current names plus the older ones that stock Tempo and Grafana key on; current names only; or names as Beyla emits them.',
	}),
	debug_attributes: attr(bool, { doc: 'Adds `vor.*` attributes that say why a span has its parent.' }),
	exclude_otel_instrumented_services: attr(bool, {
		default: true,
		doc: 'Leave out the signals that a program exports over OTLP itself.',
	}),
	attributes: block({
		include: attr(list(string), { doc: 'Globs over attribute names to keep. Default: all.' }),
		exclude: attr(list(string), { doc: 'Globs over attribute names to leave out.' }),
	}),
	routes: block(routesArgs),
	output: block(
		{ spans: attr(spanConsumers, { required: true, doc: 'Inputs of `ebpf.propagate`.' }) },
		{ required: true },
	),
})
