import type * as ast from './ast.ts'
import { literalText, maxDepth } from './cursor.ts'
import type { Diagnostic } from './diag.ts'
import { ExpressionParser } from './expressions.ts'
import { quote } from './runes.ts'
import { isIdentifier } from './scanner.ts'
import { Source } from './source.ts'
import { Token, tokenText } from './token.ts'

export { maxDepth, maxHeight } from './cursor.ts'

export interface ParsedFile {
	readonly file: ast.File
	readonly diagnostics: readonly Diagnostic[]
}

export interface ParsedExpression {
	readonly expr: ast.Expr
	readonly source: Source
	readonly diagnostics: readonly Diagnostic[]
}

/** Parses a whole file. With errors among the diagnostics the tree is what could be made out and should not be used. */
export function parseFile(name: string, text: string | Uint8Array | Source): ParsedFile {
	const source = text instanceof Source ? text : new Source(name, text)
	const parser = new Parser(source)
	const file = parser.file()
	return { file, diagnostics: parser.diagnostics }
}

/** Parses one expression that fills the whole text. */
export function parseExpression(name: string, text: string | Uint8Array | Source): ParsedExpression {
	const source = text instanceof Source ? text : new Source(name, text)
	const parser = new Parser(source)
	const expr = parser.wholeExpression()
	return { expr, source, diagnostics: parser.diagnostics }
}

/** What stands before "=" or "{": a name with dots, and a label. */
interface Head {
	readonly parts: string[]
	readonly start: number
	/** Of the first part, inclusive. */
	readonly firstEnd: number
	label: string
	labelPos: number
	labelEnd: number
}

/** A block whose end has not been reached. */
interface OpenBlock {
	readonly head: Head
	readonly lcurly: number
	/** Where its statements go. */
	readonly body: ast.Statement[]
}

/** The statements of a file. What is open is kept in a list: nesting of blocks costs no stack. */
class Parser extends ExpressionParser {
	file(): ast.File {
		const body = this.body(Token.Eof)
		return { kind: 'file', name: this.source.name, source: this.source, body, comments: this.comments }
	}

	wholeExpression(): ast.Expr {
		const expr = this.expression()
		this.expect(Token.Terminator)
		return expr
	}

	/**
	 * Statements up to `until`, which stays: `name = expression` or `name "label" { statements }`, one a line. A block is
	 * entered when its "{" is met and left at its "}", or at the end of the file.
	 */
	protected override body(until: Token): ast.Statement[] {
		const open: OpenBlock[] = []
		const outermost: ast.Statement[] = []
		let body = outermost
		for (;;) {
			const end = open.length === 0 ? until : Token.RCurly
			if (this.is(end) || this.is(Token.Eof)) {
				const block = open.pop()
				if (block === undefined) return outermost
				body = open.at(-1)?.body ?? outermost
				body.push(this.#leave(block))
			} else {
				const head = this.#head()
				if (head !== undefined && this.is(Token.LCurly)) {
					const block = this.#enter(head)
					open.push(block)
					body = block.body
					continue
				}
				if (head !== undefined && this.is(Token.Assign)) body.push(this.#attribute(head))
				else this.#giveUpStatement(head)
			}
			this.#endStatement(open.length === 0 ? until : Token.RCurly)
		}
	}

	/** A statement ends with its line, or with what ends the statements around it. */
	#endStatement(until: Token): void {
		if (this.is(until)) return
		if (!this.is(Token.Terminator)) {
			this.error(`expected TERMINATOR, got ${tokenText[this.token]}`)
			this.skipStatement()
		}
		this.next()
	}

	/** Neither an attribute nor a block: on to the next name that could begin one. */
	#giveUpStatement(head: Head | undefined): void {
		if (head !== undefined) {
			const either = head.parts.length === 1 && head.label === ''
			const wanted = either ? 'attribute assignment or block body' : 'block body'
			this.error(`expected ${wanted}, got ${tokenText[this.token]}`)
		}
		this.skipTo(Token.Ident)
	}

	#attribute(head: Head): ast.Attribute {
		this.next() // "="
		if (head.parts.length !== 1) {
			const end = head.start + this.size(head.parts.join('.')) - 1
			const message = 'attribute names may only consist of a single identifier with no "."'
			this.add(head.start, end, message)
		} else if (head.labelPos >= 0) {
			this.add(head.labelPos, head.labelEnd, 'attribute names may not have labels')
		}
		const value = this.expression()
		const name: ast.Ident = { name: head.parts[0]!, start: head.start, end: head.firstEnd }
		return { kind: 'attribute', source: this.source, start: head.start, end: value.end, name, value }
	}

	#enter(head: Head): OpenBlock {
		const lcurly = this.scanner.start
		if (++this.depth > maxDepth) this.giveUp(maxDepth)
		this.next()
		return { head, lcurly, body: [] }
	}

	#leave({ head, lcurly, body }: OpenBlock): ast.Block {
		this.depth--
		const rcurly = this.expect(Token.RCurly)
		const { parts: name, label, labelPos, start } = head
		return {
			kind: 'block',
			source: this.source,
			start,
			end: rcurly,
			name,
			label,
			labelPos,
			body,
			lcurly,
			rcurly,
		}
	}

	#head(): Head | undefined {
		const { start, end } = this.scanner
		if (!this.is(Token.Ident)) {
			this.error(`expected identifier, got ${tokenText[this.token]}`)
			return undefined
		}
		const parts = [this.scanner.text()]
		for (this.next(); this.is(Token.Dot); this.next()) {
			this.next()
			const kind = this.token
			// Whatever stands there is taken for the name: behind it there may be more to complain of.
			if (kind !== Token.Ident) this.error(`expected identifier, got ${tokenText[kind]}`)
			parts.push(literalText(kind, this.scanner))
		}
		const head: Head = { parts, start, firstEnd: end - 1, label: '', labelPos: -1, labelEnd: -1 }
		if (this.is(Token.Assign) || this.is(Token.LCurly)) return head
		if (this.is(Token.String)) this.#label(head)
		else this.error(`expected block label, got ${tokenText[this.token]}`)
		this.next()
		return head
	}

	#label(head: Head): void {
		const scanner = this.scanner
		const raw = scanner.text()
		if (!raw.startsWith('"')) {
			this.error(`expected block label to be a double quoted string, but got ${quote(raw)}`)
		}
		head.labelPos = scanner.start
		head.labelEnd = scanner.start + 1 // both quotes of an empty label
		if (scanner.end - scanner.start > 2) {
			head.label = raw.slice(1, -1)
			head.labelEnd = scanner.start + this.size(head.label) + 1
			if (!isIdentifier(head.label)) {
				this.error(`expected block label to be a valid identifier, but got ${quote(head.label)}`)
			}
		}
	}
}
