import { attr, block, defineArgs } from '../../../eval/args.ts'
import { exchangeConsumers } from '../../common/capsules.ts'

export const args = defineArgs({
	output: block(
		{ exchanges: attr(exchangeConsumers, { required: true, doc: 'Inputs of `ebpf.correlate`.' }) },
		{ required: true },
	),
})
