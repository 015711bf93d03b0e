import { attr, block, defineArgs } from '../../../eval/args.ts'
import { bool, enumOf, int, list, string } from '../../../eval/types.ts'

export const args = defineArgs({
	verbosity: attr(enumOf(['basic', 'normal', 'detailed']), { default: 'basic' }),
	sampling_initial: attr(int, { default: 2, doc: 'Batches shown in each second before sampling begins.' }),
	sampling_thereafter: attr(int, { default: 1, doc: 'After them, every n-th is shown.' }),
	use_internal_logger: attr(bool, { default: true }),
	output_paths: attr(list(string), { default: ['stdout'] }),
	debug_metrics: block({
		disable_high_cardinality_metrics: attr(bool, { default: true }),
		level: attr(string, { deprecated: 'it has no effect' }),
	}),
})
