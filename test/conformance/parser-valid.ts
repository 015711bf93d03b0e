import { parseFile } from '../../src/syntax/parser.ts'
import { formatSource } from '../../src/syntax/printer.ts'
import { type ConformanceResult, compare, differ, sharedFiles } from './result.ts'

/** Files that parse, and whose format is stable. */
export async function run(): Promise<ConformanceResult> {
	return compare('parser-valid', sharedFiles('parser/valid', '.alloy'), ({ name, text }) => {
		const { diagnostics } = parseFile(name, text)
		if (diagnostics.length > 0) return differ(name, [], diagnostics)
		const once = formatSource(name, text).text!
		return differ(name, once, formatSource(name, once).text)
	})
}
