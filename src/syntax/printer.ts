import type * as ast from './ast.ts'
import type { Diagnostic } from './diag.ts'
import { hasErrors } from './diag.ts'
import { Gap, Layout } from './layout.ts'
import { parseFile } from './parser.ts'
import { quote } from './runes.ts'
import { Source } from './source.ts'
import { Token } from './token.ts'

/** The file in the standard format, without the newline that ends it. */
export function printFile(file: ast.File): string {
	const printer = new Printer(file.source, file.comments)
	printer.statements(file.body)
	return printer.finish()
}

/** One expression in the standard format; comments inside it are left out. */
export function printExpression(expr: ast.Expr, source: Source): string {
	const printer = new Printer(source, [])
	printer.expression(expr)
	return printer.finish()
}

/** A whole text in the standard format, or why it has none. */
export function formatSource(
	name: string,
	text: string | Uint8Array | Source,
): { readonly text?: string; readonly source: Source; readonly diagnostics: readonly Diagnostic[] } {
	const source = text instanceof Source ? text : new Source(name, text)
	const { file, diagnostics } = parseFile(name, source)
	if (hasErrors(diagnostics)) return { source, diagnostics }
	return { text: `${printFile(file)}\n`, source, diagnostics }
}

const literalToken: Readonly<Record<ast.LiteralType, Token>> = {
	null: Token.Null,
	bool: Token.Bool,
	number: Token.Number,
	float: Token.Float,
	string: Token.String,
}

/** Walks the tree and says what comes after what; `Layout` decides about white space and comments. */
class Printer {
	readonly #source: Source
	readonly #out: Layout

	constructor(source: Source, comments: readonly ast.CommentGroup[]) {
		this.#source = source
		this.#out = new Layout(source, comments)
	}

	finish(): string {
		return this.#out.finish()
	}

	#line(offset: number): number {
		return this.#source.line(offset)
	}

	#oneLine(node: { readonly start: number; readonly end: number }): boolean {
		return this.#line(node.start) === this.#line(node.end)
	}

	statements(body: ast.Body): void {
		const out = this.#out
		for (let i = 0; i < body.length; i++) {
			const statement = body[i]!
			// An empty line before every block, and wherever the author left one.
			if (i > 0) {
				const apart = this.#line(statement.start) - this.#line(body[i - 1]!.end)
				if (statement.kind === 'block' || apart > 1) out.gap(Gap.Break)
			}
			if (statement.kind === 'block') this.#block(statement)
			else this.#attribute(statement)
			// What spans lines does not align with what follows.
			out.gap(this.#oneLine(statement) ? Gap.Newline : Gap.Break)
		}
	}

	#attribute(attribute: ast.Attribute): void {
		const out = this.#out
		out.moveTo(attribute.start)
		out.text(Token.Ident, attribute.name.name)
		out.gap(Gap.Column)
		out.mark(Token.Assign, '=')
		out.gap(Gap.Blank)
		this.expression(attribute.value)
	}

	#block(block: ast.Block): void {
		const out = this.#out
		out.moveTo(block.start)
		out.text(Token.Ident, block.name.join('.'))
		if (block.label !== '') {
			out.gap(Gap.Blank)
			out.moveTo(block.labelPos)
			out.text(Token.String, quote(block.label))
		}
		out.gap(Gap.Blank)
		this.#open(block.lcurly, Token.LCurly, '{')
		out.gap(Gap.Indent)
		if (block.body.length > 0) {
			out.gap(Gap.Break)
			this.statements(block.body)
		} else out.gap(Gap.Blank)
		out.gap(Gap.Unindent)
		this.#open(block.rcurly, Token.RCurly, '}')
	}

	/** A mark whose place in the source is known. */
	#open(offset: number, kind: Token, text: string): void {
		this.#out.moveTo(offset)
		this.#out.mark(kind, text)
	}

	expression(expr: ast.Expr): void {
		const out = this.#out
		switch (expr.kind) {
			case 'literal':
				out.moveTo(expr.start)
				out.text(literalToken[expr.type], expr.raw)
				return
			case 'identifier':
				out.moveTo(expr.start)
				out.text(Token.Ident, expr.name)
				return
			case 'array':
				this.#array(expr)
				return
			case 'object':
				this.#object(expr)
				return
			case 'access':
				this.expression(expr.value)
				out.mark(Token.Dot, '.')
				out.text(Token.Ident, expr.name.name)
				return
			case 'index':
				this.expression(expr.value)
				this.#open(expr.lbrack, Token.LBrack, '[')
				this.expression(expr.index)
				this.#open(expr.end, Token.RBrack, ']')
				return
			case 'call':
				this.#call(expr)
				return
			case 'unary':
				this.#open(expr.start, expr.op === '!' ? Token.Not : Token.Sub, expr.op)
				this.expression(expr.value)
				return
			case 'binary':
				this.expression(expr.left)
				out.gap(Gap.Blank)
				this.#open(expr.opPos, Token.Illegal, expr.op)
				out.gap(Gap.Blank)
				this.expression(expr.right)
				return
			case 'paren':
				out.mark(Token.LParen, '(')
				this.expression(expr.inner)
				out.mark(Token.RParen, ')')
		}
	}

	#array(array: ast.ArrayExpr): void {
		const out = this.#out
		const { elements } = array
		this.#open(array.start, Token.LBrack, '[')
		let line = this.#line(array.start)
		for (let i = 0; i < elements.length; i++) {
			const element = elements[i]!
			const breaks = this.#line(element.start) !== line
			// The indentation comes first, so that comments before the line break have it too.
			if (breaks) out.gap(Gap.Indent, Gap.Break)
			else if (i > 0) out.gap(Gap.Blank)
			line = this.#line(element.end)
			this.expression(element)
			if (i + 1 < elements.length) out.mark(Token.Comma, ',')
			if (breaks) out.gap(Gap.Unindent)
		}
		if (elements.length > 0 && this.#line(array.end) !== line) {
			out.mark(Token.Comma, ',')
			out.gap(Gap.Indent, Gap.Break, Gap.Unindent)
		}
		this.#open(array.end, Token.RBrack, ']')
	}

	#object(object: ast.ObjectExpr): void {
		const out = this.#out
		const { fields } = object
		this.#open(object.start, Token.LCurly, '{')
		out.gap(Gap.Indent)
		let line = this.#line(object.start)
		for (let i = 0; i < fields.length; i++) {
			const { name, quoted, value } = fields[i]!
			if (this.#line(name.start) !== line) {
				// Fields align with the one above, if that one fits a line.
				out.gap(i > 0 && this.#oneLine(fields[i - 1]!.value) ? Gap.Newline : Gap.Break)
			} else if (i > 0) out.gap(Gap.Blank)
			line = this.#line(name.end) // of the name, not of the value: Alloy's choice, it shows in `}, b = 1`
			out.moveTo(name.start)
			if (quoted) out.text(Token.String, quote(name.name))
			else out.text(Token.Ident, name.name)
			out.gap(Gap.Column)
			out.mark(Token.Assign, '=')
			out.gap(Gap.Blank)
			this.expression(value)
			if (i + 1 < fields.length) out.mark(Token.Comma, ',')
		}
		if (fields.length > 0 && this.#line(object.end) !== line) {
			out.mark(Token.Comma, ',')
			out.gap(Gap.Break)
		}
		out.gap(Gap.Unindent)
		this.#open(object.end, Token.RCurly, '}')
	}

	#call(call: ast.Call): void {
		const out = this.#out
		const { args } = call
		this.expression(call.value)
		out.mark(Token.LParen, '(')
		let line = this.#line(call.lparen)
		for (let i = 0; i < args.length; i++) {
			const arg = args[i]!
			const breaks = this.#line(arg.start) !== line
			if (breaks) out.gap(Gap.Break, Gap.Indent)
			this.expression(arg)
			line = this.#line(arg.end)
			if (i + 1 < args.length) {
				out.mark(Token.Comma, ',')
				out.gap(Gap.Blank)
			}
			if (breaks) out.gap(Gap.Unindent)
		}
		if (this.#line(call.end) !== line) {
			out.mark(Token.Comma, ',')
			out.gap(Gap.Break)
		}
		out.mark(Token.RParen, ')')
	}
}
