import { expect, it } from 'vitest'
import { sharedAlloyPresent } from '../conformance/result.ts'
import { run as language } from '../conformance/validate-language.ts'
import { run as validator } from '../conformance/validator.ts'

it('vor validate prints and returns what alloy validate and alloy run did for 76 configurations', async () => {
	const result = await language()
	expect(result.differences.join('\n')).toBe('')
	expect(result.agreed).toBe(76)
})

if (!sharedAlloyPresent)
	console.warn("../shared/alloy is absent: the fixtures of Alloy's validator are not compared")

it.skipIf(!sharedAlloyPresent)("the fixtures of Alloy's validator agree", async () => {
	const result = await validator()
	expect(result.differences.join('\n')).toBe('')
	expect(result.total).toBeGreaterThan(4)
})
