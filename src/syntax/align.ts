/**
 * Elastic tab stops, as Go's text/tabwriter lays text out for Alloy (padding 1, soft columns vanish when empty, leading
 * empty cells are padded by tabs of width 8), with blanks at the ends of lines removed.
 *
 * Text is cut into cells: '\t' ends a hard cell, '\v' a soft one, '\n' the line, '\f' the line and every column. Cells of
 * neighbouring lines at the same place form a column and are padded to one width.
 */
interface Column {
	width: number
	/** Only soft and empty cells so far: takes no room. */
	vanishes: boolean
}

interface Cell {
	text: string
	/** In code points. */
	width: number
	hard: boolean
	/** Length of the front of `text` whose blanks must stay. */
	kept: number
	column: Column | undefined
}

const padding = 1
const tabWidth = 8

export class AlignedText {
	#out = ''
	#lines: Cell[][] = []
	#line: Cell[] = []
	#text = ''
	#width = 0
	#kept = 0

	get empty(): boolean {
		return this.#out === '' && this.#lines.length === 0 && this.#line.length === 0 && this.#text === ''
	}

	/** Text in which the four control characters have their meaning. */
	write(text: string): void {
		if (!/[\t\v\n\f]/.test(text)) {
			this.#append(text)
			return
		}
		let from = 0
		for (let at = 0; at < text.length; at++) {
			const code = text.charCodeAt(at)
			if (code < 9 || code > 12) continue
			if (at > from) this.#append(text.slice(from, at))
			from = at + 1
			this.#endCell(code === 9)
			if (code === 10 || code === 12) this.#endLine(code === 12)
		}
		if (from < text.length) this.#append(text.slice(from))
	}

	/** Text that is passed on as it is. */
	writeVerbatim(text: string): void {
		this.#append(text)
		this.#kept = this.#text.length
	}

	/** Everything that was written, laid out; no line break is added at the end. */
	finish(): string {
		if (this.#text !== '') this.#endCell(false)
		this.#lines.push(this.#line)
		this.#layOut()
		return this.#out.slice(0, -1)
	}

	#append(text: string): void {
		this.#text += text
		this.#width += codePoints(text)
	}

	#endCell(hard: boolean): void {
		this.#line.push({ text: this.#text, width: this.#width, hard, kept: this.#kept, column: undefined })
		this.#text = ''
		this.#width = 0
		this.#kept = 0
	}

	#endLine(endsColumns: boolean): void {
		this.#lines.push(this.#line)
		// A line of one cell has no columns, so it ends those above it.
		if (endsColumns || this.#line.length === 1) this.#layOut()
		this.#line = []
	}

	#layOut(): void {
		const open: Column[] = []
		for (const line of this.#lines) {
			// The last cell of a line belongs to no column.
			const columns = Math.max(line.length - 1, 0)
			if (open.length > columns) open.length = columns
			for (let i = 0; i < columns; i++) {
				const cell = line[i]!
				const column = (open[i] ??= { width: 0, vanishes: true })
				if (cell.width + padding > column.width) column.width = cell.width + padding
				if (cell.width > 0 || cell.hard) column.vanishes = false
				cell.column = column
			}
		}
		for (const line of this.#lines) this.#out += `${renderLine(line)}\n`
		this.#lines = []
	}
}

function renderLine(line: readonly Cell[]): string {
	let out = ''
	let kept = 0
	let leading = true
	for (const cell of line) {
		if (cell.kept > 0) kept = out.length + cell.kept
		if (cell.text !== '') leading = false
		out += cell.text
		if (!cell.column || cell.column.vanishes) continue
		const { width } = cell.column
		out += leading ? '\t'.repeat(Math.ceil(width / tabWidth)) : ' '.repeat(width - cell.width)
	}
	let end = out.length
	while (end > kept && (out[end - 1] === ' ' || out[end - 1] === '\t')) end--
	return out.slice(0, end)
}

function codePoints(text: string): number {
	let count = text.length
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i)
		if (code >= 0xd800 && code <= 0xdbff) count--
	}
	return count
}
