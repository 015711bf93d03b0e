import { type ArgsOf, attr, defineArgs } from '../../../../eval/args.ts'
import { string } from '../../../../eval/types.ts'
import { oneOf } from './common.ts'
import { SAMPLERS } from './names.ts'

/** `sampler` of `traces`, of a selector and of `injector`. */
export const samplerArgs = defineArgs(
	{
		name: attr(oneOf(SAMPLERS), { doc: 'Which spans are kept. Default: all.' }),
		arg: attr(string, { doc: 'Of the ratio samplers: the share that is kept, from "0" to "1".' }),
	},
	{ validate: samplerProblem },
)

export type SamplerArgs = ArgsOf<typeof samplerArgs>

function samplerProblem({ name, arg }: { readonly name: string; readonly arg: string }): string | undefined {
	if (name === '') return undefined
	if (!SAMPLERS.some((each) => each === name))
		return `invalid sampler name ${JSON.stringify(name)}. Valid values are: ${SAMPLERS.join(', ')}`
	if (!name.endsWith('traceidratio')) return undefined
	if (arg === '') return `sampler "${name}" requires an arg parameter with a ratio value between 0 and 1`
	const ratio = decimal(arg)
	if (ratio === undefined)
		return `invalid arg ${JSON.stringify(arg)} for sampler "${name}": must be a valid decimal number`
	if (ratio < 0 || ratio > 1)
		return `invalid arg ${JSON.stringify(arg)} for sampler "${name}": ratio must be between 0 and 1 (inclusive)`
	return undefined
}

/** A number as Go's ParseFloat reads it; infinities are out of range, NaN passes every comparison there and none here. */
export function decimal(text: string): number | undefined {
	if (/^[-+]?(inf|infinity)$/i.test(text))
		return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
	if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return undefined
	return Number(text)
}
