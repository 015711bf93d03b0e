import type * as ast from './ast.ts'
import type { Diagnostic } from './diag.ts'
import { quote } from './runes.ts'
import { commentText, isIdentifier, Scanner } from './scanner.ts'
import { noPosition, Source } from './source.ts'
import { precedence, Token, tokenText } from './token.ts'

/**
 * How deep brackets and blocks may nest, and how high the tree of an expression may grow (each operator, access or call of
 * a chain is a level). What goes beyond is one diagnostic. Measured without warm-up on Node's default stack, the hungriest
 * recursion (objects in objects) ends at 2 250 levels.
 */
export const maxDepth = 1200
export const maxHeight = 2400

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

/** A binary operator whose right side is not complete. */
interface Waiting {
	readonly left: ast.Expr
	readonly height: number
	readonly op: Token
	readonly opPos: number
}

/**
 * Recursive descent with one token of lookahead; every method's comment is its grammar. It never throws: a mistake is
 * noted, at most one a line, and the parser looks for the next place where it can go on.
 */
class Parser {
	readonly diagnostics: Diagnostic[] = []
	readonly #source: Source
	readonly #scanner: Scanner
	readonly #comments: ast.CommentGroup[] = []
	#token: Token = Token.Eof
	#lastErrorLine = 0
	/** Blocks and expressions that are open right now. */
	#depth = 0
	/** Height of the tree of the expression that was parsed last. */
	#height = 0
	#tooDeep = false

	constructor(source: Source) {
		this.#source = source
		this.#scanner = new Scanner(source, (offset, message) => this.#add(offset, -1, message))
		this.#next()
	}

	/** File = Body */
	file(): ast.File {
		const body = this.#body(Token.Eof)
		return { kind: 'file', name: this.#source.name, source: this.#source, body, comments: this.#comments }
	}

	wholeExpression(): ast.Expr {
		const expr = this.#expression()
		this.#expect(Token.Terminator)
		return expr
	}

	#add(start: number, end: number, message: string): void {
		if (this.#tooDeep) return
		this.diagnostics.push({
			severity: 'error',
			start: this.#source.position(start),
			end: end < 0 ? noPosition : this.#source.position(end),
			message,
		})
	}

	/** A mistake at the current token, unless the line has one already. */
	#error(message: string): void {
		const line = this.#source.line(this.#scanner.start)
		if (line === this.#lastErrorLine) return
		this.#lastErrorLine = line
		this.#add(this.#scanner.start, -1, message)
	}

	/** Gives up on a text that nests too deep: one diagnostic, and the rest reads as the end of the file. */
	#giveUp(limit: number): void {
		if (this.#tooDeep) return
		this.#add(this.#scanner.start, -1, `nesting is deeper than ${limit} levels`)
		this.#tooDeep = true
		this.#scanner.stop()
		this.#token = Token.Eof
	}

	/** A method, so that the type checker does not take the token for unchanged after one is taken. */
	#is(kind: Token): boolean {
		return this.#token === kind
	}

	#next(): void {
		const scanner = this.#scanner
		scanner.next()
		while (scanner.kind === Token.Comment) this.#commentGroup()
		this.#token = scanner.kind
	}

	/** Comments that follow each other line by line belong together. */
	#commentGroup(): void {
		const scanner = this.#scanner
		const source = this.#source
		const comments: ast.Comment[] = []
		const start = scanner.start
		let line = source.line(start)
		let last = line
		let end = start
		while (scanner.kind === Token.Comment && line <= last + 1) {
			const raw = scanner.text()
			const text = commentText(raw)
			last = raw.startsWith('/*') ? source.line(scanner.end - 1) : line
			end = scanner.start + this.#size(text) - 1
			comments.push({ start: scanner.start, end, text })
			scanner.next()
			if (scanner.kind === Token.Comment) line = source.line(scanner.start)
		}
		this.#comments.push({ start, end, comments })
	}

	#size(text: string): number {
		return this.#source.ascii ? text.length : Buffer.byteLength(text)
	}

	/** Takes the token, complaining when it is another; returns where it began. */
	#expect(kind: Token): number {
		const at = this.#scanner.start
		if (this.#token !== kind) this.#error(`expected ${tokenText[kind]}, got ${tokenText[this.#token]}`)
		this.#next()
		return at
	}

	#skipTo(kind: Token): void {
		while (this.#token !== Token.Eof && this.#token !== kind) this.#next()
	}

	/** Skips to the end of the statement, over whole pairs of brackets. */
	#skipStatement(): void {
		let curly = 0
		let square = 0
		let round = 0
		for (; this.#token !== Token.Eof; this.#next()) {
			switch (this.#token) {
				case Token.LCurly:
					curly++
					break
				case Token.RCurly:
					curly--
					break
				case Token.LBrack:
					square++
					break
				case Token.RBrack:
					square--
					break
				case Token.LParen:
					round++
					break
				case Token.RParen:
					round--
					break
				case Token.Terminator:
					if (curly <= 0 && square <= 0 && round <= 0) return
					break
				default:
			}
		}
	}

	/** Body = [ Statement { terminator Statement } ], up to but without `until` */
	#body(until: Token): ast.Statement[] {
		const body: ast.Statement[] = []
		while (this.#token !== until && this.#token !== Token.Eof) {
			const statement = this.#statement()
			if (statement) body.push(statement)
			if (this.#token === until) break
			if (this.#token !== Token.Terminator) {
				this.#error(`expected TERMINATOR, got ${tokenText[this.#token]}`)
				this.#skipStatement()
			}
			this.#next()
		}
		return body
	}

	/** Statement = identifier "=" Expression | Head "{" Body "}" */
	#statement(): ast.Statement | undefined {
		const head = this.#head()
		if (!head) {
			this.#skipTo(Token.Ident)
			return undefined
		}
		if (this.#token === Token.Assign) return this.#attribute(head)
		if (this.#token === Token.LCurly) return this.#block(head)
		const wanted =
			head.parts.length === 1 && head.label === '' ? 'attribute assignment or block body' : 'block body'
		this.#error(`expected ${wanted}, got ${tokenText[this.#token]}`)
		this.#skipTo(Token.Ident)
		return undefined
	}

	#attribute(head: Head): ast.Attribute {
		this.#next() // "="
		if (head.parts.length !== 1) {
			const end = head.start + this.#size(head.parts.join('.')) - 1
			const message = 'attribute names may only consist of a single identifier with no "."'
			this.#add(head.start, end, message)
		} else if (head.labelPos >= 0) {
			this.#add(head.labelPos, head.labelEnd, 'attribute names may not have labels')
		}
		const value = this.#expression()
		const name: ast.Ident = { name: head.parts[0]!, start: head.start, end: head.firstEnd }
		return { kind: 'attribute', source: this.#source, start: head.start, end: value.end, name, value }
	}

	#block(head: Head): ast.Block {
		const lcurly = this.#scanner.start
		if (++this.#depth > maxDepth) this.#giveUp(maxDepth)
		this.#next() // "{"
		const body = this.#body(Token.RCurly)
		this.#depth--
		const rcurly = this.#expect(Token.RCurly)
		return {
			kind: 'block',
			source: this.#source,
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
		const scanner = this.#scanner
		if (!this.#is(Token.Ident)) {
			this.#error(`expected identifier, got ${tokenText[this.#token]}`)
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
		this.#next()
		while (this.#is(Token.Dot)) {
			this.#next()
			const kind = this.#token
			// Go on with whatever stands there: the rest of the statement may hold more to say.
			if (kind !== Token.Ident) this.#error(`expected identifier, got ${tokenText[kind]}`)
			head.parts.push(literalText(kind, scanner))
			this.#next()
		}
		if (!this.#is(Token.Assign) && !this.#is(Token.LCurly)) {
			if (this.#is(Token.String)) this.#label(head)
			else this.#error(`expected block label, got ${tokenText[this.#token]}`)
			this.#next()
		}
		return head
	}

	#label(head: Head): void {
		const scanner = this.#scanner
		const raw = scanner.text()
		if (!raw.startsWith('"')) {
			this.#error(`expected block label to be a double quoted string, but got ${quote(raw)}`)
		}
		head.labelPos = scanner.start
		head.labelEnd = scanner.start + 1 // both quotes of an empty label
		if (scanner.end - scanner.start > 2) {
			head.label = raw.slice(1, -1)
			head.labelEnd = scanner.start + this.#size(head.label) + 1
			if (!isIdentifier(head.label)) {
				this.#error(`expected block label to be a valid identifier, but got ${quote(head.label)}`)
			}
		}
	}

	/**
	 * Expression = Operand { operator Operand }
	 *
	 * By precedence: what stands left of an operator that binds tighter waits. Only brackets recurse, so that a long chain
	 * of operators costs no stack.
	 */
	#expression(): ast.Expr {
		if (this.#tooDeep) return this.#nothing()
		let expr = this.#operand()
		let waiting: Waiting[] | undefined
		for (;;) {
			const binds = precedence[this.#token]!
			if (waiting) expr = this.#fold(waiting, expr, binds)
			if (binds === 0) return expr
			waiting ??= []
			waiting.push({ left: expr, height: this.#height, op: this.#token, opPos: this.#scanner.start })
			this.#next()
			expr = this.#operand()
		}
	}

	/** Makes nodes of the waiting operators that bind tighter than the one that follows ("^" binds to the right). */
	#fold(waiting: Waiting[], last: ast.Expr, binds: number): ast.Expr {
		let right = last
		for (let top = waiting.at(-1); top; top = waiting.at(-1)) {
			const own = precedence[top.op]!
			if (own < binds || (own === binds && top.op === Token.Pow)) break
			waiting.pop()
			const { left, op, opPos } = top
			const text = tokenText[op] as ast.BinaryOp
			right = { kind: 'binary', start: left.start, end: right.end, op: text, opPos, left, right }
			this.#grow(Math.max(top.height, this.#height) + 1)
		}
		return right
	}

	/** The expression parsed last has this height. */
	#grow(height: number): void {
		this.#height = height
		if (height > maxHeight) this.#giveUp(maxHeight)
	}

	/**
	 * Operand = { "!" | "-" } Primary { "." identifier | "[" Expression "]" | "(" [ ExpressionList ] ")" }
	 *
	 * Primary = identifier | literal | "(" Expression ")" | "[" [ ExpressionList ] "]" | "{" [ FieldList ] "}"
	 *
	 * One method for both, and nodes made by others: what it keeps on the stack is paid for at every level of nesting.
	 */
	#operand(): ast.Expr {
		const unary = this.#is(Token.Not) || this.#is(Token.Sub) ? this.#unaryOperators() : undefined
		let expr: ast.Expr
		let at = this.#scanner.start
		if (this.#is(Token.LParen)) {
			this.#open()
			expr = this.#paren(at, this.#expression())
		} else if (this.#is(Token.LBrack)) {
			this.#open()
			expr = this.#array(at, this.#list(Token.RBrack))
		} else if (this.#is(Token.LCurly)) {
			this.#open()
			expr = this.#object(at, this.#fields())
		} else expr = this.#simple()
		let height = this.#height
		for (;;) {
			at = this.#scanner.start
			if (this.#is(Token.Dot)) {
				expr = this.#access(expr)
				height++
			} else if (this.#is(Token.LBrack)) {
				this.#open()
				expr = this.#index(expr, at, this.#expression())
				height = Math.max(height, this.#height) + 1
			} else if (this.#is(Token.LParen)) {
				this.#open()
				expr = this.#call(expr, at, this.#list(Token.RParen))
				height = Math.max(height, this.#height) + 1
			} else if (this.#is(Token.String) || this.#is(Token.LCurly)) {
				if (!this.#blockAsExpression(expr.start)) break
			} else break
			if (height > maxHeight) this.#giveUp(maxHeight)
		}
		this.#height = height
		return unary ? this.#unary(unary, expr) : expr
	}

	/** The offsets of the prefix operators. */
	#unaryOperators(): number[] {
		const offsets: number[] = []
		while (this.#token === Token.Not || this.#token === Token.Sub) {
			offsets.push(this.#scanner.start)
			this.#next()
		}
		return offsets
	}

	#unary(offsets: readonly number[], operand: ast.Expr): ast.Expr {
		this.#grow(this.#height + offsets.length)
		let value = operand
		for (let i = offsets.length - 1; i >= 0; i--) {
			const start = offsets[i]!
			const op = this.#source.bytes[start] as ast.UnaryOp
			value = { kind: 'unary', start, end: value.end, op, value }
		}
		return value
	}

	#paren(start: number, inner: ast.Expr): ast.Paren {
		this.#height++
		return { kind: 'paren', start, end: this.#close(Token.RParen), inner }
	}

	#array(start: number, elements: ast.Expr[]): ast.ArrayExpr {
		this.#height++
		return { kind: 'array', start, end: this.#close(Token.RBrack), elements }
	}

	#object(start: number, fields: ast.ObjectField[]): ast.ObjectExpr {
		this.#height++
		return { kind: 'object', start, end: this.#close(Token.RCurly), fields }
	}

	#access(value: ast.Expr): ast.Access {
		this.#next() // "."
		const end = this.#scanner.end - 1
		const name = literalText(this.#token, this.#scanner)
		const start = this.#expect(Token.Ident)
		return { kind: 'access', start: value.start, end, value, name: { name, start, end } }
	}

	#index(value: ast.Expr, lbrack: number, index: ast.Expr): ast.Index {
		return { kind: 'index', start: value.start, end: this.#close(Token.RBrack), value, index, lbrack }
	}

	#call(value: ast.Expr, lparen: number, args: ast.Expr[]): ast.Call {
		return { kind: 'call', start: value.start, end: this.#close(Token.RParen), value, args, lparen }
	}

	/**
	 * After an operand a string or "{" makes no sense, but it is what `a = prometheus.scrape "x" { … }` looks like: read
	 * the block, so that the whole of it is pointed at. False when it is none; then the statement has been skipped.
	 */
	#blockAsExpression(start: number): boolean {
		if (this.#token === Token.String) this.#next()
		const opens = this.#token === Token.LCurly
		this.#depth += 2 // it takes twice the stack of other nesting
		if (this.#depth > maxDepth) this.#giveUp(maxDepth)
		this.#expect(Token.LCurly)
		if (!opens) {
			this.#depth -= 2
			this.#skipStatement()
			return false
		}
		this.#body(Token.RCurly)
		this.#depth -= 2
		const closes = this.#token === Token.RCurly
		const end = this.#expect(Token.RCurly)
		if (!closes) {
			this.#skipStatement()
			return false
		}
		this.#add(start, end, 'cannot use a block as an expression')
		return true
	}

	/** A primary without brackets. */
	#simple(): ast.Expr {
		this.#height = 1
		switch (this.#token) {
			case Token.Ident: {
				const { start, end } = this.#scanner
				const name = this.#scanner.text()
				this.#next()
				return { kind: 'identifier', start, end: end - 1, name }
			}
			case Token.String:
				return this.#literal('string')
			case Token.Number:
				return this.#literal('number')
			case Token.Float:
				return this.#literal('float')
			case Token.Bool:
				return this.#literal('bool')
			case Token.Null:
				return this.#literal('null')
			default:
		}
		this.#error(`expected expression, got ${tokenText[this.#token]}`)
		const missing = this.#nothing()
		while (this.#token !== Token.Eof && !endsExpression(this.#token)) this.#next()
		return missing
	}

	#literal(type: ast.LiteralType): ast.Literal {
		const { start, end } = this.#scanner
		const raw = this.#scanner.text()
		this.#next()
		return { kind: 'literal', start, end: end - 1, type, raw }
	}

	/** Stands where an expression is missing. */
	#nothing(): ast.Literal {
		const { start } = this.#scanner
		return { kind: 'literal', start, end: start + 3, type: 'null', raw: 'null' }
	}

	#open(): void {
		if (++this.#depth > maxDepth) this.#giveUp(maxDepth)
		this.#next()
	}

	#close(kind: Token): number {
		this.#depth--
		return this.#expect(kind)
	}

	/** ExpressionList = Expression { "," Expression } [ "," ] */
	#list(until: Token): ast.Expr[] {
		const list: ast.Expr[] = []
		let height = 0
		while (this.#token !== until && this.#token !== Token.Eof) {
			list.push(this.#expression())
			height = Math.max(height, this.#height)
			if (this.#token === until) break
			if (this.#token !== Token.Comma) this.#error(`missing ',' in expression list`)
			this.#next()
		}
		this.#height = height
		return list
	}

	/** FieldList = Field { "," Field } [ "," ];  Field = FieldName "=" Expression */
	#fields(): ast.ObjectField[] {
		const fields: ast.ObjectField[] = []
		let height = 0
		if (this.#is(Token.RBrack)) return fields // Alloy takes "{ ]" for an empty object with a wrong end
		while (!this.#is(Token.RCurly) && !this.#is(Token.Eof)) {
			const quoted = this.#is(Token.String) && this.#scanner.end - this.#scanner.start > 2
			fields.push({ name: this.#fieldName(quoted), quoted, value: this.#expression() })
			height = Math.max(height, this.#height)
			if (this.#is(Token.RCurly)) break
			if (!this.#is(Token.Comma)) this.#error(`missing ',' in field list`)
			this.#next()
		}
		this.#height = height
		return fields
	}

	/** FieldName = string | identifier, and the "=" behind it */
	#fieldName(quoted: boolean): ast.Ident {
		const { start } = this.#scanner
		let name = ''
		if (this.#token === Token.String || this.#token === Token.Ident) {
			name = this.#scanner.text()
			if (quoted) name = name.slice(1, -1)
			this.#next()
		} else {
			this.#error(`expected field name (string or identifier), got ${tokenText[this.#token]}`)
			this.#skipTo(Token.Assign)
		}
		this.#expect(Token.Assign)
		return { name, start, end: start + this.#size(name) - 1 }
	}
}

/** A token's own text where Alloy keeps one; marks have none. */
function literalText(kind: Token, scanner: Scanner): string {
	if (kind === Token.Terminator) return '\n'
	return kind <= Token.Bool && kind !== Token.Eof ? scanner.text() : ''
}

function endsExpression(kind: Token): boolean {
	return (
		kind === Token.Terminator ||
		kind === Token.RParen ||
		kind === Token.RCurly ||
		kind === Token.RBrack ||
		kind === Token.Comma
	)
}
