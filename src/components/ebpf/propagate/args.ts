import { attr, block, defineArgs } from '../../../eval/args.ts'
import { bool, duration, uint } from '../../../eval/types.ts'
import { telemetryConsumers } from '../../common/capsules.ts'

export const args = defineArgs({
	hold: attr(duration, {
		default: 1000,
		doc: 'Longest wait of a server span for the client end of its request on this host, where the kernel did not join them.',
	}),
	max_held: attr(uint, {
		default: 16_384,
		doc: 'Server spans waiting at once; beyond, the oldest goes on as it is, counted.',
	}),
	debug_attributes: attr(bool, { doc: 'Adds `vor.parent.evidence` to what is joined here.' }),
	output: block(
		{
			traces: attr(telemetryConsumers, {
				required: true,
				doc: 'Inputs of exporters and of `ebpf.aggregate`.',
			}),
		},
		{ required: true },
	),
})
