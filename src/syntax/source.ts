/** A place in a source text. Line and column count from 1; column and offset are in bytes of the UTF-8 text. */
export interface Position {
	readonly filename: string
	readonly offset: number
	readonly line: number
	readonly column: number
	/** Where the text came from, when `filename` does not say it: imported modules are called by their label. */
	readonly origin?: string
}

/** What a diagnostic without a place carries (line 0 is never a real line). */
export const noPosition: Position = { filename: '', offset: 0, line: 0, column: 0 }

/**
 * One source text. Syntax nodes carry plain byte offsets into it; `position` turns one into line and column.
 *
 * `bytes` holds one character per byte of the UTF-8 text ("binary" string): offsets are byte offsets as in Alloy, a
 * slice is free, and nothing is decoded until a token with bytes above 0x7f is looked at.
 */
export class Source {
	readonly name: string
	readonly origin: string | undefined
	readonly bytes: string
	/** Whether every byte is below 0x80, so that slices of `bytes` are already text. */
	readonly ascii: boolean
	#lineStarts: number[] | undefined

	constructor(name: string, text: string | Uint8Array, origin?: string) {
		this.name = name
		this.origin = origin
		if (typeof text === 'string') {
			this.ascii = !/[^\0-\x7f]/.test(text)
			this.bytes = this.ascii ? text : Buffer.from(text, 'utf8').toString('latin1')
		} else {
			const buffer = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
			this.bytes = buffer.toString('latin1')
			this.ascii = !/[^\0-\x7f]/.test(this.bytes)
		}
	}

	/** The text between two byte offsets, `end` exclusive; bytes that are not UTF-8 become U+FFFD. */
	text(start = 0, end = this.bytes.length): string {
		const slice = this.bytes.slice(start, end)
		return this.ascii ? slice : decodeUtf8(slice)
	}

	get lineStarts(): readonly number[] {
		if (this.#lineStarts) return this.#lineStarts
		const starts = [0]
		for (let at = this.bytes.indexOf('\n'); at >= 0; at = this.bytes.indexOf('\n', at + 1))
			starts.push(at + 1)
		this.#lineStarts = starts
		return starts
	}

	/** The line (from 1) of a byte offset. */
	line(offset: number): number {
		const starts = this.lineStarts
		let low = 0
		let high = starts.length
		while (high - low > 1) {
			const middle = (low + high) >>> 1
			if (starts[middle]! <= offset) low = middle
			else high = middle
		}
		return low + 1
	}

	position(offset: number): Position {
		const line = this.line(offset)
		const column = offset - this.lineStarts[line - 1]! + 1
		const { name: filename, origin } = this
		return origin === undefined
			? { filename, offset, line, column }
			: { filename, offset, line, column, origin }
	}
}

/** A "binary" string (one character a byte) as text. */
export function decodeUtf8(bytes: string): string {
	return /[^\0-\x7f]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes
}
