import { describe, expect, it } from 'vitest'
import { run as cliFmt } from '../conformance/cli-fmt.ts'
import { run as diagnosticsRender } from '../conformance/diagnostics-render.ts'
import { run as documents } from '../conformance/documents.ts'
import { run as goldens } from '../conformance/goldens.ts'
import { run as parseQuirks } from '../conformance/parse-quirks.ts'
import { run as parserErrors } from '../conformance/parser-errors.ts'
import { run as parserValid } from '../conformance/parser-valid.ts'
import { run as printer } from '../conformance/printer.ts'
import { type ConformanceResult, sharedAlloyPresent } from '../conformance/result.ts'
import { run as scanner } from '../conformance/scanner.ts'
import { run as snippets } from '../conformance/snippets.ts'

function expectAgreement(result: ConformanceResult): void {
	expect(result.total).toBeGreaterThan(0)
	expect(result.differences.join('\n')).toBe('')
	expect(result.agreed).toBe(result.total)
}

it('vor fmt prints and returns what alloy fmt did for 742 documents', async () => {
	const result = await cliFmt()
	expectAgreement(result)
	expect(result.total).toBe(742)
})

if (!sharedAlloyPresent) console.warn("../shared/alloy is absent: Alloy's own fixtures are not compared")

describe.skipIf(!sharedAlloyPresent)("Alloy's own fixtures agree", () => {
	it.each([
		['documents', documents],
		['scanner', scanner],
		['parse-quirks', parseQuirks],
		['diagnostics-render', diagnosticsRender],
		['parser-valid', parserValid],
		['parser-errors', parserErrors],
		['printer', printer],
		['goldens', goldens],
		['snippets', snippets],
	])('%s', async (_kind, run) => expectAgreement(await run()))
})
