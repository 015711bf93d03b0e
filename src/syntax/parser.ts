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

/** A block's or attribute's head, before it is known which of the two it is. */
interface Head {
	readonly parts: string[]
	readonly start: number
	/** Of the first part, inclusive. */
	readonly firstEnd: number
	label: string
	labelPos: number
	labelEnd: number
}

/** Recursive descent over statements, with one token of lookahead; every method's comment is its grammar. */
class Parser extends ExpressionParser {
	/** File = Body */
	file(): ast.File {
		const body = this.body(Token.Eof)
		return { kind: 'file', name: this.source.name, source: this.source, body, comments: this.comments }
	}

	wholeExpression(): ast.Expr {
		const expr = this.expression()
		this.expect(Token.Terminator)
		return expr
	}

	/** Body = [ Statement { terminator Statement } ], up to but without `until` */
	protected override body(until: Token): ast.Statement[] {
		const body: ast.Statement[] = []
		while (this.token !== until && this.token !== Token.Eof) {
			const statement = this.#statement()
			if (statement) body.push(statement)
			if (this.token === until) break
			if (this.token !== Token.Terminator) {
				this.error(`expected TERMINATOR, got ${tokenText[this.token]}`)
				this.skipStatement()
			}
			this.next()
		}
		return body
	}

	/** Statement = identifier "=" Expression | Head "{" Body "}" */
	#statement(): ast.Statement | undefined {
		const head = this.#head()
		if (!head) {
			this.skipTo(Token.Ident)
			return undefined
		}
		if (this.token === Token.Assign) return this.#attribute(head)
		if (this.token === Token.LCurly) return this.#block(head)
		const wanted =
			head.parts.length === 1 && head.label === '' ? 'attribute assignment or block body' : 'block body'
		this.error(`expected ${wanted}, got ${tokenText[this.token]}`)
		this.skipTo(Token.Ident)
		return undefined
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

	#block(head: Head): ast.Block {
		const lcurly = this.scanner.start
		if (++this.depth > maxDepth) this.giveUp(maxDepth)
		this.next() // "{"
		const body = this.body(Token.RCurly)
		this.depth--
		const rcurly = this.expect(Token.RCurly)
		return {
			kind: 'block',
			source: this.source,
			start: head.start,
			end: rcurly,
			name: head.parts,
			label: head.label,
			labelPos: head.labelPos,
			body,
			lcurly,
			rcurly,
		}
	}

	/** Head = identifier { "." identifier } [ string ] */
	#head(): Head | undefined {
		const scanner = this.scanner
		if (!this.is(Token.Ident)) {
			this.error(`expected identifier, got ${tokenText[this.token]}`)
			return undefined
		}
		const head: Head = {
			parts: [scanner.text()],
			start: scanner.start,
			firstEnd: scanner.end - 1,
			label: '',
			labelPos: -1,
			labelEnd: -1,
		}
		this.next()
		while (this.is(Token.Dot)) {
			this.next()
			const kind = this.token
			// Go on with whatever stands there: the rest of the statement may hold more to say.
			if (kind !== Token.Ident) this.error(`expected identifier, got ${tokenText[kind]}`)
			head.parts.push(literalText(kind, scanner))
			this.next()
		}
		if (!this.is(Token.Assign) && !this.is(Token.LCurly)) {
			if (this.is(Token.String)) this.#label(head)
			else this.error(`expected block label, got ${tokenText[this.token]}`)
			this.next()
		}
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
