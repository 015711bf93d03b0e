import { attr, block, blocks, defineArgs, optionalBlock } from '../../../eval/args.ts'
import { bool, list, string } from '../../../eval/types.ts'
import { telemetryConsumers } from '../../common/capsules.ts'
import { discoveryArgs } from '../../common/discovery-args.ts'
import { routesArgs } from '../../common/routes-args.ts'

export const args = defineArgs({
	open_port: attr(string, { deprecated: 'use discovery.instrument with open_ports' }),
	executable_name: attr(string, { deprecated: 'use discovery.instrument with exe_path' }),
	routes: block(routesArgs),
	discovery: block(discoveryArgs),
	attributes: optionalBlock({
		select: blocks({
			attr: attr(string, { required: true }),
			include: attr(list(string)),
			exclude: attr(list(string)),
		}),
	}),
	metrics: block({
		features: attr(list(string), { default: ['application'] }),
		instrumentations: attr(list(string), { default: ['*'] }),
		allow_service_graph_self_references: attr(bool, { notYet: true }),
	}),
	traces: optionalBlock({
		instrumentations: attr(list(string), { default: ['*'] }),
	}),
	output: optionalBlock({
		traces: attr(telemetryConsumers, { doc: 'Where spans go.' }),
		metrics: attr(telemetryConsumers, { doc: 'Where metrics go; they are at `/metrics` in any case.' }),
	}),
})
