import type * as ast from './ast.ts'
import { Cursor, literalText, maxDepth, maxHeight } from './cursor.ts'
import { precedence, Token, tokenText } from './token.ts'

/** A binary operator whose right side is not complete. */
interface Waiting {
	readonly left: ast.Expr
	readonly height: number
	readonly op: Token
	readonly opPos: number
}

/** Recursive descent over expressions; every method's comment is its grammar. */
export abstract class ExpressionParser extends Cursor {
	/** Height of the tree of the expression that was parsed last. */
	protected height = 0

	/** Needed where a block stands for an expression. */
	protected abstract body(until: Token): ast.Statement[]

	/**
	 * Expression = Operand { operator Operand }
	 *
	 * By precedence: what stands left of an operator that binds tighter waits. Only brackets recurse, so that a long chain
	 * of operators costs no stack.
	 */
	protected expression(): ast.Expr {
		if (this.tooDeep) return this.#nothing()
		let expr = this.#operand()
		let waiting: Waiting[] | undefined
		for (;;) {
			const binds = precedence[this.token]!
			if (waiting) expr = this.#fold(waiting, expr, binds)
			if (binds === 0) return expr
			waiting ??= []
			waiting.push({ left: expr, height: this.height, op: this.token, opPos: this.scanner.start })
			this.next()
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
			this.#grow(Math.max(top.height, this.height) + 1)
		}
		return right
	}

	/** The expression parsed last has this height. */
	#grow(height: number): void {
		this.height = height
		if (height > maxHeight) this.giveUp(maxHeight)
	}

	/**
	 * Operand = { "!" | "-" } Primary { "." identifier | "[" Expression "]" | "(" [ ExpressionList ] ")" }
	 *
	 * Primary = identifier | literal | "(" Expression ")" | "[" [ ExpressionList ] "]" | "{" [ FieldList ] "}"
	 *
	 * One method for both, and nodes made by others: what it keeps on the stack is paid for at every level of nesting.
	 */
	#operand(): ast.Expr {
		const unary = this.is(Token.Not) || this.is(Token.Sub) ? this.#unaryOperators() : undefined
		let expr: ast.Expr
		let at = this.scanner.start
		if (this.is(Token.LParen)) {
			this.#open()
			expr = this.#paren(at, this.expression())
		} else if (this.is(Token.LBrack)) {
			this.#open()
			expr = this.#array(at, this.#separated(Token.RBrack, 'expression'))
		} else if (this.is(Token.LCurly)) {
			this.#open()
			expr = this.#object(at, this.#separated(this.#endOfFields(), 'field'))
		} else expr = this.#simple()
		let height = this.height
		for (;;) {
			at = this.scanner.start
			if (this.is(Token.Dot)) {
				expr = this.#access(expr)
				height++
			} else if (this.is(Token.LBrack)) {
				this.#open()
				expr = this.#index(expr, at, this.expression())
				height = Math.max(height, this.height) + 1
			} else if (this.is(Token.LParen)) {
				this.#open()
				expr = this.#call(expr, at, this.#separated(Token.RParen, 'expression'))
				height = Math.max(height, this.height) + 1
			} else if (this.is(Token.String) || this.is(Token.LCurly)) {
				if (!this.#blockAsExpression(expr.start)) break
			} else break
			if (height > maxHeight) this.giveUp(maxHeight)
		}
		this.height = height
		return unary ? this.#unary(unary, expr) : expr
	}

	/** The offsets of the prefix operators. */
	#unaryOperators(): number[] {
		const offsets: number[] = []
		while (this.token === Token.Not || this.token === Token.Sub) {
			offsets.push(this.scanner.start)
			this.next()
		}
		return offsets
	}

	#unary(offsets: readonly number[], operand: ast.Expr): ast.Expr {
		this.#grow(this.height + offsets.length)
		let value = operand
		for (let i = offsets.length - 1; i >= 0; i--) {
			const start = offsets[i]!
			const op = this.source.bytes[start] as ast.UnaryOp
			value = { kind: 'unary', start, end: value.end, op, value }
		}
		return value
	}

	#paren(start: number, inner: ast.Expr): ast.Paren {
		this.height++
		return { kind: 'paren', start, end: this.#close(Token.RParen), inner }
	}

	#array(start: number, elements: ast.Expr[]): ast.ArrayExpr {
		this.height++
		return { kind: 'array', start, end: this.#close(Token.RBrack), elements }
	}

	#object(start: number, fields: ast.ObjectField[]): ast.ObjectExpr {
		this.height++
		return { kind: 'object', start, end: this.#close(Token.RCurly), fields }
	}

	#access(value: ast.Expr): ast.Access {
		this.next() // "."
		const end = this.scanner.end - 1
		const name = literalText(this.token, this.scanner)
		const start = this.expect(Token.Ident)
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
		if (this.token === Token.String) this.next()
		const opens = this.token === Token.LCurly
		this.depth += 2 // it takes twice the stack of other nesting
		if (this.depth > maxDepth) this.giveUp(maxDepth)
		this.expect(Token.LCurly)
		if (!opens) {
			this.depth -= 2
			this.skipStatement()
			return false
		}
		this.body(Token.RCurly)
		this.depth -= 2
		const closes = this.token === Token.RCurly
		const end = this.expect(Token.RCurly)
		if (!closes) {
			this.skipStatement()
			return false
		}
		this.add(start, end, 'cannot use a block as an expression')
		return true
	}

	/** A primary without brackets. */
	#simple(): ast.Expr {
		this.height = 1
		switch (this.token) {
			case Token.Ident: {
				const { start, end } = this.scanner
				const name = this.scanner.text()
				this.next()
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
		this.error(`expected expression, got ${tokenText[this.token]}`)
		const missing = this.#nothing()
		while (this.token !== Token.Eof && !endsExpression(this.token)) this.next()
		return missing
	}

	#literal(type: ast.LiteralType): ast.Literal {
		const { start, end } = this.scanner
		const raw = this.scanner.text()
		this.next()
		return { kind: 'literal', start, end: end - 1, type, raw }
	}

	/** Stands where an expression is missing. */
	#nothing(): ast.Literal {
		const { start } = this.scanner
		return { kind: 'literal', start, end: start + 3, type: 'null', raw: 'null' }
	}

	#open(): void {
		if (++this.depth > maxDepth) this.giveUp(maxDepth)
		this.next()
	}

	#close(kind: Token): number {
		this.depth--
		return this.expect(kind)
	}

	/** Alloy takes "{ ]" for an empty object with a wrong end. */
	#endOfFields(): Token {
		return this.is(Token.RBrack) ? Token.RBrack : Token.RCurly
	}

	/**
	 * What stands between brackets: expressions, or fields, with commas between them, and one behind the last if you like.
	 * One method for both, and no function for each: it lies on the stack at every level of nesting.
	 */
	#separated(until: Token, what: 'expression'): ast.Expr[]
	#separated(until: Token, what: 'field'): ast.ObjectField[]
	#separated(until: Token, what: 'expression' | 'field'): (ast.Expr | ast.ObjectField)[] {
		const things: (ast.Expr | ast.ObjectField)[] = []
		let height = 0
		while (!this.is(until) && !this.is(Token.Eof)) {
			things.push(
				what === 'expression' ? this.expression() : { ...this.#fieldName(), value: this.expression() },
			)
			height = Math.max(height, this.height)
			if (this.is(until)) break
			if (!this.is(Token.Comma)) this.error(`missing ',' in ${what} list`)
			this.next()
		}
		this.height = height
		return things
	}

	/** The name of a field, which may be a string, and the "=" behind it. */
	#fieldName(): Omit<ast.ObjectField, 'value'> {
		const { start, end } = this.scanner
		const isString = this.is(Token.String)
		// The quotes of an empty name are its name.
		const quoted = isString && end - start > 2
		let name = ''
		if (isString || this.is(Token.Ident)) {
			const text = this.scanner.text()
			name = quoted ? text.slice(1, -1) : text
			this.next()
		} else {
			this.error(`expected field name (string or identifier), got ${tokenText[this.token]}`)
			this.skipTo(Token.Assign)
		}
		this.expect(Token.Assign)
		return { name: { name, start, end: start + this.size(name) - 1 }, quoted }
	}
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
