import { attr, blocks, defineArgs } from '../../../eval/args.ts'
import { enumOf, list, map, string, uint } from '../../../eval/types.ts'
import { compileRule, relabelActions } from './rules.ts'

export const rule = defineArgs(
	{
		source_labels: attr(list(string)),
		separator: attr(string, { default: ';' }),
		regex: attr(string, { default: '(.*)' }),
		modulus: attr(uint),
		target_label: attr(string),
		replacement: attr(string, { default: '$1' }),
		action: attr(
			enumOf(relabelActions, (text) => `unrecognized action type "${text}"`),
			{ default: 'replace' },
		),
	},
	{
		validate(args) {
			try {
				compileRule(args)
				return undefined
			} catch (reason) {
				return (reason as Error).message
			}
		},
	},
)

export const args = defineArgs({
	targets: attr(list(map(string)), { required: true, doc: 'What is rewritten.' }),
	rule: blocks(rule, { doc: 'Applied in order, as Prometheus does.' }),
})
