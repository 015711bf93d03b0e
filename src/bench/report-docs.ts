import { readFileSync, writeFileSync } from 'node:fs'
import { VorError } from '../util/errors.ts'
import { headOf, tablesOf } from './report-tables.ts'
import { isText } from './report-text.ts'
import type { BenchResult } from './result.ts'

const BEGIN = '<!-- vor bench: begin -->'
const END = '<!-- vor bench: end -->'

/** Puts the tables between the marks of a Markdown page; without a result only looks for them. Throws E_FILE. */
export function replaceTables(path: string, result: BenchResult | undefined): void {
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch (reason) {
		throw new VorError('E_FILE', `cannot read ${path}: ${(reason as Error).message}`, {
			fix: `a page with the lines ${BEGIN} and ${END}`,
		})
	}
	const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
	if (from < 0 || to < from)
		throw new VorError('E_FILE', `${path} has no place for the tables`, {
			fix: `put the lines ${BEGIN} and ${END} into it`,
		})
	if (result === undefined) return
	writeFileSync(path, `${text.slice(0, from + BEGIN.length)}\n${renderMarkdown(result)}${text.slice(to)}`)
}

export function renderMarkdown(result: BenchResult): string {
	// Of the kernel's release only the number: the rest names whose build it is, which a page for all need not.
	const machine = { ...result.machine, kernel: result.machine.kernel.split('-')[0] as string }
	const lines = headOf({ ...result, machine }).map((line) => `- ${line}`)
	for (const { title, about, columns, rows } of tablesOf(result)) {
		lines.push('', `### ${title}`, '', about, '')
		lines.push(`| ${columns.join(' | ')} |`)
		lines.push(`|${columns.map((name) => (isText(name) ? '---|' : '--:|')).join('')}`)
		for (const row of rows) lines.push(`| ${row.join(' | ')} |`)
	}
	return `${lines.join('\n')}\n`
}
