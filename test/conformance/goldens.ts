import { formatSource } from '../../src/syntax/printer.ts'
import { type ConformanceResult, compare, differ, sharedFiles } from './result.ts'

/** Files that Alloy itself printed stay as they are. */
export async function run(): Promise<ConformanceResult> {
	return compare('goldens', sharedFiles('goldens', '.alloy'), ({ name, text }) => {
		const { text: got, diagnostics } = formatSource(name, text)
		if (got === undefined) return differ(name, [], diagnostics)
		return differ(name, text.trimEnd(), got.trimEnd())
	})
}
