import { evaluateText } from '../../src/eval/evaluate-text.ts'
import { toNative } from '../../src/eval/native.ts'
import { BytesValue } from '../../src/eval/values.ts'
import { fixtureScope } from './expressions.ts'
import { type ConformanceResult, compare, differ, sharedJson } from './result.ts'

interface Case {
	readonly input: string
	readonly expect?: unknown
	readonly error?: string
}

const groups = [
	'literals',
	'operators',
	'errors',
	'stdlib',
	'group_by_unordered',
	'stdlib_errors',
	'deprecated_aliases',
] as const

/** Cases of Alloy's own evaluator tests: a value, or a part of the error. */
export function run(): ConformanceResult {
	const file = sharedJson<Readonly<Record<(typeof groups)[number], readonly Case[]>>>('expressions.json')
	return compare(
		'expression-cases',
		groups.flatMap((group) => file[group]),
		(one) => {
			const got = evaluateText(one.input, fixtureScope)
			if (one.error !== undefined) {
				if (!got.ok && got.error.includes(one.error)) return undefined
				return differ(one.input, one.error, got.ok ? toNative(got.value) : got.error)
			}
			if (!got.ok) return differ(one.input, one.expect, got.error)
			return differ(
				one.input,
				one.expect,
				got.value instanceof BytesValue ? got.value.text : toNative(got.value),
			)
		},
	)
}
