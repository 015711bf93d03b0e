import { headOf, tablesOf } from './report-tables.ts'
import type { BenchResult } from './result.ts'

/** For a terminal or a log. */
export function renderText(result: BenchResult): string {
	const lines = headOf(result)
	for (const { title, about, columns, rows } of tablesOf(result)) {
		lines.push('', title, ...wrap(about, 110), '')
		const widths = columns.map((name, column) =>
			Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
		)
		for (const row of [columns, ...rows])
			lines.push(
				row
					.map((cell, i) =>
						isText(columns[i]) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
					)
					.join('  ')
					.trimEnd(),
			)
	}
	return `${lines.join('\n')}\n`
}

export const isText = (column: string | undefined): boolean =>
	['case', 'surface', 'program', 'dropped'].includes(column ?? '')

function wrap(text: string, width: number): string[] {
	const lines: string[] = []
	let line = ''
	for (const word of text.split(' ')) {
		if (line !== '' && line.length + 1 + word.length > width) {
			lines.push(line)
			line = ''
		}
		line += line === '' ? word : ` ${word}`
	}
	return [...lines, line]
}
