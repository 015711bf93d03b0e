import { type Native, toNative } from '../native.ts'
import { anyValue, string } from '../types.ts'
import { stringValue, type Value } from '../values.ts'
import { variadicFunction } from './function.ts'
import { sprintf } from './sprintf.ts'
import { Float } from './sprintf-verbs.ts'

export const format = variadicFunction('string.format', [string], anyValue, (args, pattern) =>
	stringValue(sprintf(pattern, args.map(formatArgument))),
)

/** Plain data in which floats are still told from integers. */
export function formatArgument(value: Value): Native {
	switch (value.type) {
		case 'number':
			return value.kind === 'float' ? (new Float(value.float) as unknown as Native) : toNative(value)
		case 'array':
			return value.items.map(formatArgument)
		case 'object': {
			const out: Record<string, Native> = Object.create(null) as Record<string, Native>
			for (const [key, item] of value.fields) out[key] = formatArgument(item)
			return out
		}
		default:
			return toNative(value)
	}
}
