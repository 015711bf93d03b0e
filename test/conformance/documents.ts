import { parseFile } from '../../src/syntax/parser.ts'
import { formatSource } from '../../src/syntax/printer.ts'
import { renderDiagnostics } from '../../src/syntax/render.ts'
import { formatLineColumn } from './places.ts'
import { type ConformanceResult, compare, differ, sharedLines } from './result.ts'

interface Case {
	readonly in: string
	readonly fmt?: string
	readonly diags?: readonly { severity: string; start: string; end?: string; message: string }[]
	readonly rendered?: string
}

/** What Alloy's parser, printer and renderer made of documents that are mostly broken on purpose. */
export async function run(): Promise<ConformanceResult> {
	return compare('documents', sharedLines<Case>('differential-files.jsonl'), (one, index) => {
		const wanted = {
			fmt: one.fmt,
			diags: one.diags?.map(({ severity, start, end, message }) => ({ severity, start, end, message })) ?? [],
			rendered: one.rendered ?? '',
		}
		const { diagnostics } = parseFile('t.alloy', one.in)
		const got = {
			fmt: formatSource('t.alloy', one.in).text,
			diags: diagnostics.map(({ severity, start, end, message }) => ({
				severity,
				start: formatLineColumn(start),
				end: end.line === 0 ? undefined : formatLineColumn(end),
				message,
			})),
			rendered: renderDiagnostics(diagnostics, new Map([['t.alloy', one.in]])),
		}
		return differ(`document ${index + 1}`, wanted, got)
	})
}
