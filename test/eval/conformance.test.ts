import { expect, it } from 'vitest'
import { run as cases } from '../conformance/expression-cases.ts'
import { run as expressions } from '../conformance/expressions.ts'
import { sharedAlloyPresent } from '../conformance/result.ts'

it("2 190 random expressions evaluate to what Alloy's evaluator gave", () => {
	const result = expressions()
	expect(result.differences.join('\n')).toBe('')
	expect(result.agreed).toBe(2190)
})

if (!sharedAlloyPresent)
	console.warn("../shared/alloy is absent: the cases of Alloy's own evaluator tests are not compared")

it.skipIf(!sharedAlloyPresent)("the cases of Alloy's own evaluator tests agree", () => {
	const result = cases()
	expect(result.differences.join('\n')).toBe('')
	expect(result.total).toBeGreaterThan(80)
})
