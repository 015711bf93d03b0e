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

/** How a list in brackets is set. The author's line breaks stay; these say what goes with them. */
interface ListStyle {
	readonly open: string
	readonly close: string
	/** The places of the brackets are looked at when comments are put among them. */
	readonly placed: boolean
	/** Gaps around everything between the brackets. */
	readonly around: readonly [string, string]
	/** Gaps around an item that begins a line; '' before it: by what stands above it. */
	readonly item: readonly [string, string]
	/** Where items of one line have their blank: before the item, or behind the comma whatever follows. */
	readonly blank: 'before' | 'behind'
	/** Gaps before a closing bracket that begins a line, behind the comma that it asks for. */
	readonly last: string
	/** Asks for that comma without items too. */
	readonly whenEmpty: boolean
}

const arrayStyle: ListStyle = {
	open: '[',
	close: ']',
	placed: true,
	around: ['', ''],
	// Indented before the line is broken: comments in between belong to the items.
	item: [Gap.Indent + Gap.Break, Gap.Unindent],
	blank: 'before',
	last: Gap.Indent + Gap.Break + Gap.Unindent,
	whenEmpty: false,
}
const objectStyle: ListStyle = {
	open: '{',
	close: '}',
	placed: true,
	around: [Gap.Indent, Gap.Unindent],
	item: ['', ''],
	blank: 'before',
	last: Gap.Break,
	whenEmpty: false,
}
const callStyle: ListStyle = {
	open: '(',
	close: ')',
	placed: false,
	around: ['', ''],
	item: [Gap.Break + Gap.Indent, Gap.Unindent],
	blank: 'behind',
	last: Gap.Break,
	whenEmpty: true,
}

/** Says which tokens follow each other and what is wanted between them; `Layout` sees to spaces and comments. */
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

	#spansLines(start: number, end: number): boolean {
		return this.#source.line(start) !== this.#source.line(end)
	}

	statements(body: ast.Body): void {
		let above: ast.Statement | undefined
		for (const statement of body) {
			if (above !== undefined && this.#standsApart(above, statement)) this.#out.gap(Gap.Break)
			this.#statement(statement)
			// Neighbours of one line each share their columns.
			this.#out.gap(this.#spansLines(statement.start, statement.end) ? Gap.Break : Gap.Newline)
			above = statement
		}
	}

	/** An empty line goes before every block, and stays where the author left one. */
	#standsApart(above: ast.Statement, below: ast.Statement): boolean {
		return below.kind === 'block' || this.#source.line(below.start) > this.#source.line(above.end) + 1
	}

	#statement(statement: ast.Statement): void {
		const out = this.#out
		if (statement.kind === 'attribute') {
			out.text(Token.Ident, statement.name.name, statement.start)
			this.#value(statement.value)
			return
		}
		const { body, label, lcurly, rcurly } = statement
		out.text(Token.Ident, statement.name.join('.'), statement.start)
		if (label !== '') {
			out.gap(Gap.Blank)
			out.text(Token.String, quote(label), statement.labelPos)
		}
		out.gap(Gap.Blank)
		out.mark('{', lcurly)
		out.gap(Gap.Indent)
		out.gap(body.length === 0 ? Gap.Blank : Gap.Break)
		this.statements(body)
		out.gap(Gap.Unindent)
		out.mark('}', rcurly)
	}

	/** The sign and what stands right of it, of an attribute or a field. */
	#value(value: ast.Expr): void {
		this.#out.gap(Gap.Column)
		this.#out.mark('=')
		this.#out.gap(Gap.Blank)
		this.expression(value)
	}

	expression(expr: ast.Expr): void {
		const out = this.#out
		switch (expr.kind) {
			case 'identifier':
				out.text(Token.Ident, expr.name, expr.start)
				return
			case 'literal':
				out.text(literalToken[expr.type], expr.raw, expr.start)
				return
			case 'unary':
				out.mark(expr.op, expr.start)
				this.expression(expr.value)
				return
			case 'binary':
				this.expression(expr.left)
				out.gap(Gap.Blank)
				out.mark(expr.op, expr.opPos)
				out.gap(Gap.Blank)
				this.expression(expr.right)
				return
			case 'paren':
				out.mark('(')
				this.expression(expr.inner)
				out.mark(')')
				return
			case 'access':
				this.expression(expr.value)
				out.mark('.')
				out.text(Token.Ident, expr.name.name)
				return
			case 'index':
				this.expression(expr.value)
				out.mark('[', expr.lbrack)
				this.expression(expr.index)
				out.mark(']', expr.end)
				return
			case 'call':
				this.expression(expr.value)
				this.#list(callStyle, expr.lparen, expr.args, expr.end)
				return
			case 'array':
				this.#list(arrayStyle, expr.start, expr.elements, expr.end)
				return
			case 'object':
				this.#list(objectStyle, expr.start, expr.fields, expr.end)
		}
	}

	#list(style: ListStyle, start: number, items: readonly Item[], end: number): void {
		const out = this.#out
		const { open, close, placed, around, item: itemGaps } = style
		out.mark(open, placed ? start : undefined)
		out.gap(around[0])
		let line = this.#source.line(start)
		items.forEach((item, i) => {
			const head = isField(item) ? item.name : item
			const begins = this.#source.line(head.start) !== line
			if (begins) out.gap(itemGaps[0] || this.#gapBelow(items[i - 1]))
			else if (i > 0 && style.blank === 'before') out.gap(Gap.Blank)
			// Of a field the name counts, not the value: Alloy's choice, it shows in `}, b = 1`.
			line = this.#source.line(head.end)
			this.#item(item)
			if (i + 1 < items.length) {
				out.mark(',')
				if (style.blank === 'behind') out.gap(Gap.Blank)
			}
			if (begins) out.gap(itemGaps[1])
		})
		if ((items.length > 0 || style.whenEmpty) && this.#source.line(end) !== line) {
			out.mark(',')
			out.gap(style.last)
		}
		out.gap(around[1])
		out.mark(close, placed ? end : undefined)
	}

	#item(item: Item): void {
		if (!isField(item)) {
			this.expression(item)
			return
		}
		const { name, quoted, value } = item
		if (quoted) this.#out.text(Token.String, quote(name.name), name.start)
		else this.#out.text(Token.Ident, name.name, name.start)
		this.#value(value)
	}

	/** Fields share their columns with the one above, where that fits a line. */
	#gapBelow(above: Item | undefined): string {
		const aligns =
			above !== undefined && isField(above) && !this.#spansLines(above.value.start, above.value.end)
		return aligns ? Gap.Newline : Gap.Break
	}
}

type Item = ast.Expr | ast.ObjectField

const isField = (item: Item): item is ast.ObjectField => 'quoted' in item
