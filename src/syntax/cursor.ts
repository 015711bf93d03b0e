import type * as ast from './ast.ts'
import { commentText } from './comment-text.ts'
import type { Diagnostic } from './diag.ts'
import { Scanner } from './scanner.ts'
import { noPosition, type Source } from './source.ts'
import { Token, tokenText } from './token.ts'

/**
 * How deep brackets and blocks may nest, and how high the tree of an expression may grow (each operator, access or call of
 * a chain is a level). What goes beyond is one diagnostic. Measured without warm-up on Node's default stack, the hungriest
 * recursion (objects in objects) ends at 2 250 levels.
 */
export const maxDepth = 1200
export const maxHeight = 2400

/**
 * The tokens of a source one by one, comments set aside. Never throws: a mistake is noted, at most one a line, and there
 * are ways to skip to the next place where a parser can go on.
 */
export class Cursor {
	readonly diagnostics: Diagnostic[] = []
	protected readonly source: Source
	protected readonly scanner: Scanner
	protected readonly comments: ast.CommentGroup[] = []
	/** The current token; its place and text are the scanner's. */
	protected token: Token = Token.Eof
	/** Blocks and brackets that are open right now. */
	protected depth = 0
	protected tooDeep = false
	#lastErrorLine = 0

	constructor(source: Source) {
		this.source = source
		this.scanner = new Scanner(source, (offset, message) => this.add(offset, -1, message))
		this.next()
	}

	protected add(start: number, end: number, message: string): void {
		if (this.tooDeep) return
		this.diagnostics.push({
			severity: 'error',
			start: this.source.position(start),
			end: end < 0 ? noPosition : this.source.position(end),
			message,
		})
	}

	/** A mistake at the current token, unless the line has one already. */
	protected error(message: string): void {
		const line = this.source.line(this.scanner.start)
		if (line === this.#lastErrorLine) return
		this.#lastErrorLine = line
		this.add(this.scanner.start, -1, message)
	}

	/** Gives up on a text that nests too deep: one diagnostic, and the rest reads as the end of the file. */
	protected giveUp(limit: number): void {
		if (this.tooDeep) return
		this.add(this.scanner.start, -1, `nesting is deeper than ${limit} levels`)
		this.tooDeep = true
		this.scanner.stop()
		this.token = Token.Eof
	}

	/** A method, so that the type checker does not take the token for unchanged after one is taken. */
	protected is(kind: Token): boolean {
		return this.token === kind
	}

	protected next(): void {
		const scanner = this.scanner
		scanner.next()
		while (scanner.kind === Token.Comment) this.#commentGroup()
		this.token = scanner.kind
	}

	/** Comments that follow each other line by line belong together. */
	#commentGroup(): void {
		const scanner = this.scanner
		const source = this.source
		const comments: ast.Comment[] = []
		const start = scanner.start
		let line = source.line(start)
		let last = line
		let end = start
		while (scanner.kind === Token.Comment && line <= last + 1) {
			const raw = scanner.text()
			const text = commentText(raw)
			last = raw.startsWith('/*') ? source.line(scanner.end - 1) : line
			end = scanner.start + this.size(text) - 1
			comments.push({ start: scanner.start, end, text })
			scanner.next()
			if (scanner.kind === Token.Comment) line = source.line(scanner.start)
		}
		this.comments.push({ start, end, comments })
	}

	protected size(text: string): number {
		return this.source.ascii ? text.length : Buffer.byteLength(text)
	}

	/** Takes the token, complaining when it is another; returns where it began. */
	protected expect(kind: Token): number {
		const at = this.scanner.start
		if (this.token !== kind) this.error(`expected ${tokenText[kind]}, got ${tokenText[this.token]}`)
		this.next()
		return at
	}

	protected skipTo(kind: Token): void {
		while (this.token !== Token.Eof && this.token !== kind) this.next()
	}

	/** Skips to the end of the statement, which is not inside of brackets that open on the way. */
	protected skipStatement(): void {
		const open = [0, 0, 0]
		for (; this.token !== Token.Eof; this.next()) {
			if (this.token === Token.Terminator && open.every((count) => count <= 0)) return
			const bracket = brackets.get(this.token)
			if (bracket !== undefined) open[bracket.sort]! += bracket.step
		}
	}
}

/** Which of the three sorts, and whether it opens or closes. */
const brackets: ReadonlyMap<Token, { readonly sort: 0 | 1 | 2; readonly step: 1 | -1 }> = new Map([
	[Token.LParen, { sort: 0, step: 1 }],
	[Token.RParen, { sort: 0, step: -1 }],
	[Token.LBrack, { sort: 1, step: 1 }],
	[Token.RBrack, { sort: 1, step: -1 }],
	[Token.LCurly, { sort: 2, step: 1 }],
	[Token.RCurly, { sort: 2, step: -1 }],
])

/** A token's own text where Alloy keeps one; marks have none. */
export function literalText(kind: Token, scanner: Scanner): string {
	if (kind === Token.Terminator) return '\n'
	return kind <= Token.Bool && kind !== Token.Eof ? scanner.text() : ''
}
