import { parseFile } from '../../src/syntax/parser.ts'
import { type ConformanceResult, compare, differ, sharedFiles } from './result.ts'

/** Code blocks of Alloy's documentation parse. */
export async function run(): Promise<ConformanceResult> {
	return compare('snippets', sharedFiles('snippets', '.alloy'), ({ name, text }) =>
		differ(name, [], parseFile(name, text).diagnostics),
	)
}
