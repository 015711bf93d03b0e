import { parseFile } from '../../src/syntax/parser.ts'
import { Scanner } from '../../src/syntax/scanner.ts'
import { Source } from '../../src/syntax/source.ts'
import { Token } from '../../src/syntax/token.ts'
import { formatLineColumn } from './places.ts'
import { type ConformanceResult, compare, sharedFiles } from './result.ts'

/** Files with the expected error written behind the token (or place) it is about. */
export async function run(): Promise<ConformanceResult> {
	return compare('parser-errors', sharedFiles('parser/errors', '.alloy'), ({ name, text }) => {
		const source = new Source(name, text)
		const wanted = expectations(source)
		const got = parseFile(name, source).diagnostics.map((one) => ({
			at: formatLineColumn(one.start),
			message: one.message,
		}))
		const matches = (i: number): boolean =>
			wanted[i]!.at === got[i]!.at && new RegExp(wanted[i]!.message).test(got[i]!.message)
		const agrees = wanted.length > 0 && wanted.length === got.length && wanted.every((_, i) => matches(i))
		return agrees ? undefined : `${name}\n  wanted ${JSON.stringify(wanted)}\n  got    ${JSON.stringify(got)}`
	})
}

function expectations(source: Source): { at: string; message: string }[] {
	const wanted: { at: string; message: string }[] = []
	let tokenStart = 0
	let tokenEnd = 0
	const scanner = new Scanner(source, () => undefined)
	for (scanner.next(); scanner.kind !== Token.Eof; scanner.next()) {
		if (scanner.kind === Token.Comment) {
			const match = /^\/\* ERROR (HERE )?"(.*)" \*\/$/.exec(scanner.text())
			if (!match) continue
			const place = source.position(match[1] === undefined ? tokenStart : tokenEnd)
			wanted.push({ at: formatLineColumn(place), message: match[2]! })
		} else if (scanner.kind !== Token.Terminator) {
			tokenStart = scanner.start
			tokenEnd = scanner.end
		}
	}
	return wanted
}
