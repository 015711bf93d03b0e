import type { Diagnostic } from './diag.ts'
import { formatPosition } from './diag.ts'
import { runeAt } from './runes.ts'
import { decodeUtf8, type Position, Source } from './source.ts'

export interface RenderOptions {
	/** Colour, for a terminal. */
	readonly color?: boolean
	/** Also what Vör adds to Alloy's text (`Diagnostic.help`). */
	readonly explain?: boolean
	/** Lines shown before and after. */
	readonly contextLines?: number
}

/** Texts by the file name in the positions; a diagnostic of another file is shown without an excerpt. */
export type Sources = ReadonlyMap<string, string | Uint8Array | Source>

const tabWidth = 4
const red = '\x1b[31;1m'
const yellow = '\x1b[33;1m'
const bold = '\x1b[1m'
const faint = '\x1b[2m'
const reset = '\x1b[0m'

/** All diagnostics as Alloy shows them, an empty line between two. */
export function renderDiagnostics(
	diagnostics: readonly Diagnostic[],
	sources: Sources,
	options: RenderOptions = {},
): string {
	// One table of lines a file, however many diagnostics it has.
	const known = new Map<string, Source>()
	const find = (name: string): Source | undefined => {
		const seen = known.get(name)
		if (seen) return seen
		const given = sources.get(name)
		if (given === undefined) return undefined
		const source = given instanceof Source ? given : new Source(name, given)
		known.set(name, source)
		return source
	}
	return diagnostics.map((one) => renderOne(one, find, options)).join('\n')
}

function renderOne(
	one: Diagnostic,
	find: (name: string) => Source | undefined,
	options: RenderOptions,
): string {
	const { start } = one
	const end = one.end.line === 0 ? start : one.end
	let out = header(one, options.color === true)
	const source = find(start.origin ?? start.filename)
	if (source && start.filename === end.filename) out += excerpt(source, start, end, options)
	if (!options.explain) return out
	if (start.origin !== undefined && start.origin !== start.filename) out += `  = in ${start.origin}\n`
	for (const line of one.help ?? []) out += `  = help: ${line}\n`
	return out
}

function header(one: Diagnostic, color: boolean): string {
	const severity = one.severity === 'error' ? 'Error: ' : 'Warning: '
	const message = `${formatPosition(one.start)}: ${one.message}`
	if (!color) return `${severity}${message}\n`
	return `${one.severity === 'error' ? red : yellow}${severity}${reset}${bold}${message}${reset}\n`
}

/** The lines of the range with their neighbours; a range of one line is underlined, a longer one boxed at its left. */
function excerpt(source: Source, start: Position, end: Position, options: RenderOptions): string {
	const context = options.contextLines ?? 1
	const last = Math.min(end.line + context, source.lineStarts.length)
	const digits = String(last).length
	const boxed = end.line > start.line
	const row = (gutter: string, side: string, text: string): string => {
		const left = `${gutter.padStart(digits)} |`
		return `${options.color === true ? faint + left + reset : left}${side}${text}\n`
	}
	let out = '\n'
	for (let number = Math.max(start.line - context, 1); number <= last; number++) {
		const line = lineBytes(source, number)
		const inBox = boxed && number > start.line && number <= end.line
		out += row(String(number), boxed ? (inBox ? ' | ' : '   ') : ' ', visible(line))
		const opens = number === start.line
		if (opens || (boxed && number === end.line)) {
			// The box opens without a side of its own.
			out += row('', boxed ? (opens ? '  _' : ' |_') : ' ', marks(line, number, start, end, boxed))
		}
	}
	return out
}

/** Without the newline, one character a byte. */
function lineBytes(source: Source, number: number): string {
	const starts = source.lineStarts
	const next = starts[number]
	return source.bytes.slice(starts[number - 1], next === undefined ? undefined : next - 1)
}

function visible(line: string): string {
	return decodeUtf8(line)
		.replaceAll('\r', '')
		.replaceAll(/[\t\v]/g, ' '.repeat(tabWidth))
}

/** One sign for each character of the line, up to the end of the range. */
function marks(line: string, number: number, start: Position, end: Position, boxed: boolean): string {
	const filler = boxed ? '_' : ' '
	let out = ''
	for (let at = 0; at < line.length; ) {
		const column = at + 1
		if (number === end.line && column > end.column) break
		const packed = runeAt(line, at)
		const rune = packed >>> 3
		if (rune === 0x09 || rune === 0x0b) out += filler.repeat(tabWidth)
		else if (number === start.line ? column >= start.column : column <= end.column) out += '^'
		else out += filler
		at += packed & 7
	}
	return out
}

/** The form for programs: everything that is known, Vör's additions included. */
export function diagnosticsToJson(diagnostics: readonly Diagnostic[]): unknown[] {
	return diagnostics.map((one) => ({
		severity: one.severity,
		file: one.start.filename,
		...(one.start.origin === undefined ? {} : { origin: one.start.origin }),
		start: { line: one.start.line, column: one.start.column, offset: one.start.offset },
		...(one.end.line === 0
			? {}
			: { end: { line: one.end.line, column: one.end.column, offset: one.end.offset } }),
		message: one.message,
		...(one.help === undefined ? {} : { help: one.help }),
	}))
}
