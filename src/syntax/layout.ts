import { AlignedText } from './align.ts'
import type { Comment, CommentGroup } from './ast.ts'
import type { Source } from './source.ts'
import { Token } from './token.ts'

/**
 * White space, a character each. It is held back until the next text, because a comment in between may change it: a
 * string of them is what waits.
 */
export const Gap = {
	Blank: ' ',
	/** A soft tab: starts an aligned column. */
	Column: '\v',
	Newline: '\n',
	/** A newline that also ends every column. */
	Break: '\f',
	Indent: '>',
	Unindent: '<',
} as const

/** Takes the place of a gap that a comment has made needless: it still counts among those that wait. */
const gone = '\0'
/** When one more comes, what waits is written: Alloy's format knows no more. */
const mostWaiting = 16
/** At most one empty line is kept. */
const mostNewlines = 2
const steps = /^[<>]*/
const lineEnd = /[\n\f]/g

/** Where in the source the next token stands: told for most, else guessed from what was written since. */
interface Place {
	offset: number
	line: number
}

/**
 * Merges the tokens of the tree with the comments of the source: a comment goes before the first token that stood behind
 * it. The guess at a token's place is part of Alloy's format: it decides on which side of a `)` or `.` a comment lands.
 */
export class Layout {
	readonly #out = new AlignedText()
	readonly #source: Source
	readonly #comments: readonly CommentGroup[]
	#nextComment = 0
	#waiting = ''
	/** The last token, for as long as nothing came behind it. */
	#last: Token | undefined
	#depth = 0
	readonly #place: Place = { offset: 0, line: 1 }
	/** Source line on which the last written text ended. */
	#endLine = 0
	/** Nothing was written to the current line of the output. */
	#fresh = true

	constructor(source: Source, comments: readonly CommentGroup[]) {
		this.#source = source
		this.#comments = comments
	}

	gap(gaps: string): void {
		for (const one of gaps) {
			if (this.#waiting.length === mostWaiting) this.#release(mostWaiting)
			this.#waiting += one
			this.#last = undefined
		}
	}

	/** An operator, bracket or comma. A number and a "." are kept apart: together they would read as one token. */
	mark(text: string, offset?: number): void {
		if (text === '.' && this.#last === Token.Number) this.#waiting = Gap.Blank
		this.text(Token.Literal, text, offset)
	}

	text(kind: Token, text: string, offset?: number): void {
		const place = this.#place
		if (offset !== undefined) {
			place.offset = offset
			place.line = this.#source.line(offset)
		}
		this.#last = kind
		const { offset: at, line } = place
		const comment = this.#passComments(at, line)
		if (comment === undefined) this.#release(this.#waiting.length)
		else this.#spaceBehind(comment, line)
		if (this.#fresh) this.#indent()
		this.#out.write(text)
		this.#wrote(at, line, text)
	}

	finish(): string {
		const end = Number.MAX_SAFE_INTEGER
		// The file ends without empty lines.
		this.#passComments(end, end)
		return this.#out.finish()
	}

	/** Writes the comments that stand before the token at `offset` on `line`; the last of them. */
	#passComments(offset: number, line: number): Comment | undefined {
		let last: Comment | undefined
		for (
			let group = this.#comments[this.#nextComment];
			group !== undefined && group.start <= offset;
			group = this.#comments[++this.#nextComment]
		) {
			for (const comment of group.comments) {
				const own = this.#source.line(comment.start)
				this.#spaceBefore(own, line)
				if (this.#fresh) this.#indent()
				this.#out.writeVerbatim(comment.text)
				this.#wrote(comment.start, own, comment.text)
				last = comment
			}
		}
		return last
	}

	/** Before a comment on `line`, when the next token is on `tokenLine`. */
	#spaceBefore(line: number, tokenLine: number): void {
		if (this.#out.empty) return
		if (line === this.#endLine) {
			// Behind a token: aligned with the comments around it, unless a token follows on the same line.
			this.#space(line === tokenLine ? ' ' : '\t', 1)
			return
		}
		// On a line of its own: its depth is what the steps at hand make it, and its line break takes the place of the next gap.
		const [first = ''] = steps.exec(this.#waiting) ?? []
		if (first.length < this.#waiting.length) {
			this.#release(first.length)
			this.#waiting = gone + this.#waiting.slice(1)
		}
		this.#space(Gap.Break, Math.min(line - this.#endLine, mostNewlines))
	}

	/** Behind the last comment before a token on `tokenLine`: the author's line breaks, instead of what waits. */
	#spaceBehind(comment: Comment, tokenLine: number): void {
		if (comment.text.startsWith('/*') && tokenLine === this.#source.line(comment.end)) this.#space(' ', 1)
		const lines = Math.min(tokenLine - this.#endLine, mostNewlines)
		for (const one of this.#waiting) this.#step(one)
		const newline = this.#waiting.includes(Gap.Break) ? Gap.Break : Gap.Newline
		this.#waiting = ''
		this.#space(newline, lines)
	}

	/** Writes the first `count` of the gaps that wait. */
	#release(count: number): void {
		if (count === 0) return
		const gaps = this.#waiting.slice(0, count)
		this.#waiting = this.#waiting.slice(count)
		for (const one of gaps) if (!this.#step(one) && one !== gone) this.#space(one, 1)
	}

	#step(gap: string): boolean {
		if (gap === Gap.Indent) this.#depth++
		else if (gap === Gap.Unindent) this.#depth--
		else return false
		return true
	}

	#indent(): void {
		if (this.#depth === 0) return
		this.#out.write('\t'.repeat(this.#depth))
		this.#place.offset += this.#depth
		this.#fresh = false
	}

	#space(char: string, count: number): void {
		if (count <= 0) return
		if (this.#fresh) this.#indent()
		this.#out.write(char.repeat(count))
		this.#place.offset += count
		this.#fresh = char === Gap.Newline || char === Gap.Break
		if (this.#fresh) this.#place.line += count
	}

	/** `text` stood at `offset` on `line` of the source: what follows is looked for behind it. */
	#wrote(offset: number, line: number, text: string): void {
		const place = this.#place
		place.offset = offset + (this.#source.ascii ? text.length : Buffer.byteLength(text))
		place.line = line + (text.match(lineEnd)?.length ?? 0)
		this.#endLine = place.line
		if (text !== '') this.#fresh = text.endsWith('\n') || text.endsWith('\f')
	}
}
