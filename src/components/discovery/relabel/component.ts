import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { capsule, list, map, string } from '../../../eval/types.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'
import { compileRule, type Labels, type RelabelRule, relabel } from './rules.ts'

type Args = ArgsOf<typeof schema>

/** Rules as another component takes them. */
export interface RelabelRules {
	readonly rules: readonly RelabelRule[]
}

interface Exports {
	readonly output: readonly Labels[]
	readonly rules: RelabelRules | undefined
}

export const defineRelabel = (): ComponentDefinition<Args, Exports> => ({
	name: 'discovery.relabel',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ output: list(map(string)), rules: capsule<RelabelRules>('RelabelRules') }),
	metadata,
	build(options, first) {
		let rules: RelabelRules = { rules: first.rule }
		const apply = (args: Args) => {
			if (JSON.stringify(args.rule) !== JSON.stringify(rules.rules)) rules = { rules: args.rule }
			options.onStateChange({ output: relabel(args.targets, args.rule.map(compileRule)), rules })
		}
		apply(first)
		return {
			update(next) {
				apply(next)
				return undefined
			},
			async stop() {},
		}
	},
})
