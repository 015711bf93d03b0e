import { existsSync } from 'node:fs'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { formatSource } from '../../src/syntax/printer.ts'
import { type ConformanceResult, compare, differ, sharedAlloy, sharedFiles, sharedText } from './result.ts'

/** Inputs with the format (or the error) they must come to. */
export async function run(): Promise<ConformanceResult> {
	return compare('printer', sharedFiles('printer', '.in'), ({ name, text }) => {
		const stem = name.replace(/\.in$/, '')
		const { text: got, diagnostics } = formatSource(`${stem.replace('printer/', '')}.in`, text)
		if (existsSync(`${sharedAlloy}${stem}.error`)) {
			const wanted = sharedText(`${stem}.error`).trim()
			return differ(name, wanted, diagnostics.map(formatDiagnostic).join('\n'))
		}
		// The expectations differ in whether they end in a newline; the printer's own text never does.
		return differ(name, sharedText(`${stem}.expect`).replace(/\n$/, ''), got?.replace(/\n$/, ''))
	})
}
