import { AlignedText } from './align.ts'
import type { Comment, CommentGroup } from './ast.ts'
import type { Source } from './source.ts'
import { Token } from './token.ts'

/** White space that is held back until the next text, because a comment in between may change it. */
export const Gap = {
	Dropped: '',
	Blank: ' ',
	/** A soft tab: starts an aligned column. */
	Column: '\v',
	Newline: '\n',
	/** A newline that also ends every column. */
	Break: '\f',
	Indent: '>',
	Unindent: '<',
} as const
export type Gap = (typeof Gap)[keyof typeof Gap]

/** More gaps than this in a row are written out; Alloy's buffer has that size. */
const mostGaps = 16
/** At most one empty line is kept. */
const mostNewlines = 2

/**
 * Puts tokens, gaps and comments in order. Tokens come from the tree, comments from the source; a comment goes before the
 * first token that stood behind it. `#offset` and `#line` say where in the source we are: exact when `moveTo` was called
 * for the token, otherwise estimated by what was written since. The estimate is part of Alloy's format: it decides on
 * which side of a `)` or `.` a comment lands.
 */
export class Layout {
	readonly #out = new AlignedText()
	readonly #source: Source
	readonly #comments: readonly CommentGroup[]
	#nextComment = 0
	#gaps: Gap[] = []
	#lastToken: Token = Token.Illegal
	#indent = 0
	#offset = 0
	#line = 1
	/** Source line on which the last written text ended. */
	#lastLine = 0
	/** Nothing was written to the current line of the output. */
	#lineStart = true

	constructor(source: Source, comments: readonly CommentGroup[]) {
		this.#source = source
		this.#comments = comments
	}

	moveTo(offset: number): void {
		this.#offset = offset
		this.#line = this.#source.line(offset)
	}

	gap(...gaps: Gap[]): void {
		for (const one of gaps) {
			if (this.#gaps.length === mostGaps) this.#writeGaps(mostGaps)
			this.#gaps.push(one)
			this.#lastToken = Token.Literal
		}
	}

	/** An operator or bracket. A number and a "." are kept apart: together they would read as one token. */
	mark(kind: Token, text: string): void {
		if (this.#lastToken === Token.Number && kind === Token.Dot) this.#gaps = [Gap.Blank]
		this.text(kind, text)
	}

	text(kind: Token, text: string): void {
		this.#lastToken = kind
		const offset = this.#offset
		const line = this.#line
		if (this.#commentBefore(offset)) this.#writeComments(offset, line, false)
		else this.#writeGaps(this.#gaps.length)
		this.#writeText(offset, line, text, false)
	}

	finish(): string {
		const end = Number.MAX_SAFE_INTEGER
		if (this.#commentBefore(end)) this.#writeComments(end, end, true)
		return this.#out.finish()
	}

	#commentBefore(offset: number): boolean {
		const group = this.#comments[this.#nextComment]
		return group !== undefined && group.start <= offset
	}

	/** The comments that stand before the token at `offset`, and the space around them. */
	#writeComments(offset: number, line: number, atEnd: boolean): void {
		let last: Comment | undefined
		while (this.#commentBefore(offset)) {
			for (const comment of this.#comments[this.#nextComment]!.comments) {
				this.#spaceBefore(comment, line)
				this.#writeText(comment.start, this.#source.line(comment.start), comment.text, true)
				last = comment
			}
			this.#nextComment++
		}
		// The file ends without empty lines.
		if (last && !atEnd) this.#spaceAfter(last, line)
	}

	#spaceBefore(comment: Comment, nextLine: number): void {
		if (this.#out.empty) return
		const line = this.#source.line(comment.start)
		if (line === this.#lastLine) {
			// Behind a token: aligned with the comments around it, unless a token follows on the same line.
			this.#writeSpace(line === nextLine ? ' ' : '\t', 1)
			return
		}
		// On a line of its own: pending changes of indentation count, up to the first other gap, which is replaced.
		const first = this.#gaps.findIndex((gap) => gap !== Gap.Indent && gap !== Gap.Unindent)
		if (first >= 0) {
			this.#gaps[first] = Gap.Dropped
			this.#writeGaps(first)
		}
		const lines = line - this.#lastLine
		if (lines > 0) this.#writeSpace('\f', Math.min(lines, mostNewlines))
	}

	#spaceAfter(comment: Comment, nextLine: number): void {
		if (comment.text.startsWith('/*') && nextLine === this.#source.line(comment.end)) this.#writeSpace(' ', 1)
		const lines = nextLine - this.#lastLine
		let newline = '\n'
		for (let i = 0; i < this.#gaps.length; i++) {
			const gap = this.#gaps[i]!
			if (gap === Gap.Indent || gap === Gap.Unindent) continue
			if (gap === Gap.Break) newline = '\f'
			this.#gaps[i] = Gap.Dropped
		}
		this.#writeGaps(this.#gaps.length)
		if (lines > 0) this.#writeSpace(newline, Math.min(lines, mostNewlines))
	}

	#writeText(offset: number, line: number, text: string, verbatim: boolean): void {
		if (this.#lineStart) this.#writeIndent()
		if (verbatim) this.#out.writeVerbatim(text)
		else this.#out.write(text)
		this.#offset = offset + (this.#source.ascii ? text.length : Buffer.byteLength(text))
		this.#line = line
		if (text !== '') this.#lineStart = text.endsWith('\n') || text.endsWith('\f')
		for (let at = text.search(/[\n\f]/); at >= 0 && at < text.length; at++) {
			const code = text.charCodeAt(at)
			if (code === 10 || code === 12) this.#line++
		}
		this.#lastLine = this.#line
	}

	#writeIndent(): void {
		if (this.#indent === 0) return
		this.#out.write('\t'.repeat(this.#indent))
		this.#offset += this.#indent
		this.#lineStart = false
	}

	#writeSpace(char: string, count: number): void {
		if (this.#lineStart) this.#writeIndent()
		this.#out.write(char.repeat(count))
		this.#offset += count
		this.#lineStart = char === '\n' || char === '\f'
		if (this.#lineStart) this.#line += count
	}

	#writeGaps(count: number): void {
		for (let i = 0; i < count; i++) {
			const gap = this.#gaps[i]!
			if (gap === Gap.Indent) this.#indent++
			else if (gap === Gap.Unindent) this.#indent--
			else if (gap !== Gap.Dropped) this.#writeSpace(gap, 1)
		}
		this.#gaps.splice(0, count)
	}
}
