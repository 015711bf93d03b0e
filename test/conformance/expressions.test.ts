import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { evaluateText } from '../../src/eval/evaluate-text.ts'
import { fromNative, toNative } from '../../src/eval/native.ts'
import { printValue } from '../../src/eval/print.ts'
import { createScope } from '../../src/eval/scope.ts'
import { createStdlib, stdlibScope } from '../../src/eval/stdlib/index.ts'
import { BytesValue, type Value } from '../../src/eval/values.ts'

const folder = fileURLToPath(new URL('../../../shared/alloy/', import.meta.url))
const present = existsSync(folder)
if (!present) console.warn('conformance: ../shared/alloy is absent, expressions are not compared')

const stdlib = stdlibScope(createStdlib({ TEST_VAR: 'Hello!', TEST_VAR2: 'Hello!' }))
const scope = createScope(
	new Map<string, Value>([
		['foobar', fromNative(42)],
		['obj', fromNative({ a: 1, b: [1, 'x', true] })],
		['list', fromNative([3, 1, 2])],
	]),
	stdlib,
)

function outcome(text: string): { value?: string; error?: string; raw?: Value } {
	const result = evaluateText(text, scope)
	return result.ok ? { value: printValue(result.value), raw: result.value } : { error: result.error }
}

describe.skipIf(!present)("expressions evaluate to what Alloy's evaluator gives", () => {
	it('agrees on every expression of the differential set', () => {
		const lines = readFileSync(`${folder}differential-exprs.jsonl`, 'utf8').trim().split('\n')
		const differences: string[] = []
		for (const line of lines) {
			const wanted = JSON.parse(line) as { expr: string; value?: string; error?: string }
			const got = outcome(wanted.expr)
			if (got.value !== wanted.value || got.error !== wanted.error)
				differences.push(
					`${wanted.expr}\n  want ${wanted.value ?? wanted.error}\n  got  ${got.value ?? got.error}`,
				)
		}
		console.log(`expressions: ${lines.length - differences.length}/${lines.length} agree`)
		expect(differences.join('\n')).toBe('')
	})

	const cases = JSON.parse(readFileSync(`${folder}expressions.json`, 'utf8')) as Record<
		string,
		{ input: string; expect?: unknown; error?: string }[]
	>
	const groups = [
		'literals',
		'operators',
		'errors',
		'stdlib',
		'group_by_unordered',
		'stdlib_errors',
		'deprecated_aliases',
	]
	for (const group of groups)
		it.each(cases[group]!.map((one) => [one.input, one] as const))(`${group}: %s`, (_input, one) => {
			const got = outcome(one.input)
			if (one.error !== undefined) expect(got.error).toContain(one.error)
			else {
				expect(got.error).toBeUndefined()
				const native = got.raw instanceof BytesValue ? got.raw.text : toNative(got.raw!)
				expect(JSON.parse(JSON.stringify(native))).toEqual(one.expect)
			}
		})
})
