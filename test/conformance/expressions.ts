import { evaluateText } from '../../src/eval/evaluate-text.ts'
import { fromNative } from '../../src/eval/native.ts'
import { printValue } from '../../src/eval/print.ts'
import { createScope } from '../../src/eval/scope.ts'
import { createStdlib, stdlibScope } from '../../src/eval/stdlib/index.ts'
import type { Value } from '../../src/eval/values.ts'
import { type ConformanceResult, compare, differ, ownLines } from './result.ts'

interface Case {
	readonly expr: string
	readonly value?: string
	readonly error?: string
}

/** What the fixtures have in scope. */
export const fixtureScope = createScope(
	new Map<string, Value>([
		['foobar', fromNative(42)],
		['obj', fromNative({ a: 1, b: [1, 'x', true] })],
		['list', fromNative([3, 1, 2])],
	]),
	stdlibScope(createStdlib({ TEST_VAR: 'Hello!', TEST_VAR2: 'Hello!' })),
)

/** What Alloy's evaluator answered to 2 190 random expressions. */
export function run(): ConformanceResult {
	return compare('expressions', ownLines<Case>('differential-exprs.jsonl'), (one) => {
		const got = evaluateText(one.expr, fixtureScope)
		return differ(one.expr, one.value ?? one.error, got.ok ? printValue(got.value) : got.error)
	})
}
