// The matrix as text that reads well in a terminal and is Markdown at the same time.
import { INSTRUCTION_LIMIT, SURFACES, WAYS } from './surfaces.mjs'

const MARKS = {
	works: 'works',
	loads: 'loads, not chosen yet',
	refused: '',
	verifier: '**verifier**',
	failed: '**failed**',
	absent: 'not built',
	skipped: 'not run',
}

export function table(head, rows) {
	const all = [head, ...rows].map((row) => row.map(String))
	const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)))
	const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
	return [
		line(all[0]),
		`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
		...all.slice(1).map(line),
	].join('\n')
}

export function report(rows) {
	const titles = SURFACES.map(({ title }) => title)
	const built = SURFACES.filter((_, i) => rows.some(({ cells }) => cells[i].programs !== undefined))
	const parts = [
		'### Kernel × surface\n',
		table(
			['kernel', ...titles, 'boot and tests'],
			rows.map(({ kernel, cells, seconds }) => [
				kernel.release,
				...cells.map((cell) => MARKS[cell.state]),
				`${seconds} s`,
			]),
		),
		'\nAn empty cell: the kernel refuses, in these words:\n',
		...messages(rows),
		"\n### The verifier's work\n",
		`Instructions walked for the largest program of each surface, and its share of the limit of ${INSTRUCTION_LIMIT.toLocaleString('en')}:\n`,
		table(
			['kernel', ...titles],
			rows.map(({ kernel, cells }) => [kernel.release, ...cells.map(largest)]),
		),
	]
	const skipped = rows.flatMap(({ kernel, cells }) =>
		cells.map(({ title, recursionMisses = {} }) => [kernel.release, title, recursionMisses]),
	)
	const told = skipped.filter(([, , misses]) => Object.keys(misses).length > 0)
	if (told.length > 0) {
		parts.push('\n### Hook calls that the kernel skipped\n')
		parts.push('Others on the same hook took them over where the cell works:\n')
		for (const [release, title, misses] of told) {
			const counts = Object.entries(misses).map(([program, count]) => `${program} ${count}`)
			parts.push(`* ${release}, ${title}: ${counts.join(', ')}`)
		}
	}
	for (const { surface, storage, title } of built) {
		const of = ({ cells }) => cells.find((cell) => cell.surface === surface && cell.storage === storage)
		const shown = rows.filter((row) => of(row).paths !== undefined)
		if (shown.length === 0) continue
		const ways = WAYS.filter((way) => shown.some((row) => of(row).paths.some((path) => path.way === way)))
		parts.push(
			`\n### Paths that ${title} sees\n`,
			table(
				['path', ...shown.map(({ kernel }) => kernel.release)],
				ways.map((way) => [
					way,
					...shown.map((row) => summary(of(row).paths.filter((path) => path.way === way))),
				]),
			),
		)
		const hooks = shown.filter((row) => of(row).missingHooks.length > 0)
		for (const row of hooks) parts.push(`\n${row.kernel.release} has no ${of(row).missingHooks.join(', ')}.`)
	}
	return parts.join('\n')
}

function messages(rows) {
	const lines = []
	for (const { kernel, cells } of rows)
		for (const { state, title, message } of cells)
			if (state === 'refused') lines.push(`* ${kernel.release}, ${title}: ${message}`)
	return lines.length === 0 ? ['(none)'] : lines
}

function largest(cell) {
	if (cell.programs === undefined) return ''
	const top = cell.programs.reduce((a, b) => (b.instructions > a.instructions ? b : a))
	if (top.instructions === 0) return 'not told'
	return `${top.instructions} ${top.name} (${((top.instructions / INSTRUCTION_LIMIT) * 100).toFixed(1)} %)`
}

/** One word where every family agrees, else each by name. */
function summary(paths) {
	const here = paths.filter(({ result }) => result !== 'not here')
	if (here.length === 0) return 'not here'
	const results = [...new Set(here.map(({ result }) => result))]
	return results.length === 1
		? results[0]
		: here.map(({ family, result }) => `${family} ${result}`).join(', ')
}
