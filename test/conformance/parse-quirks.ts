import { parseFile } from '../../src/syntax/parser.ts'
import { formatLineColumn } from './places.ts'
import { type ConformanceResult, compare, sharedJson } from './result.ts'

/** Inputs whose acceptance or rejection surprises. */
export async function run(): Promise<ConformanceResult> {
	const { cases } = sharedJson<{ cases: { input: string; error: string | null }[] }>('parse-quirks.json')
	return compare('parse-quirks', cases, ({ input, error }) => {
		const got = parseFile('t', input).diagnostics.map(
			(one) => `${formatLineColumn(one.start)}: ${one.message}`,
		)
		const agrees = error === null ? got.length === 0 : got.some((text) => text.includes(error))
		return agrees ? undefined : `${JSON.stringify(input)}\n  wanted ${error}\n  got    ${got.join(' | ')}`
	})
}
