import { describe, expect, it } from 'vitest'
import type * as ast from '../../src/syntax/ast.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { sameBody } from '../../src/syntax/equal.ts'
import { maxDepth, parseExpression, parseFile } from '../../src/syntax/parser.ts'
import { formatSource } from '../../src/syntax/printer.ts'

const errors = (text: string): string[] => parseFile('f', text).diagnostics.map(formatDiagnostic)

/** An expression with every operation in parentheses. */
function shape(expr: ast.Expr): string {
	switch (expr.kind) {
		case 'binary':
			return `(${shape(expr.left)}${expr.op}${shape(expr.right)})`
		case 'unary':
			return `(${expr.op}${shape(expr.value)})`
		case 'access':
			return `(${shape(expr.value)}.${expr.name.name})`
		case 'index':
			return `(${shape(expr.value)}[${shape(expr.index)}])`
		case 'call':
			return `(${shape(expr.value)}(${expr.args.map(shape).join()}))`
		case 'literal':
			return expr.raw
		case 'identifier':
			return expr.name
		default:
			return expr.kind
	}
}

describe('operators', () => {
	it.each([
		['1 + 2 * 3', '(1+(2*3))'],
		['1 * 2 + 3', '((1*2)+3)'],
		['1 - 2 - 3', '((1-2)-3)'],
		['2 ^ 3 ^ 4', '(2^(3^4))'],
		['-2 ^ 2', '((-2)^2)'],
		['2 ^ -3 ^ 4', '(2^((-3)^4))'],
		['2 * 3 ^ 4 * 5', '((2*(3^4))*5)'],
		['a || b && c == d + e * f ^ g', '(a||(b&&(c==(d+(e*(f^g))))))'],
		['a ^ b * c + d == e && f || g', '((((((a^b)*c)+d)==e)&&f)||g)'],
		['a < b == c', '((a<b)==c)'],
		['!-a.b[1](2, 3).c', '(!(-((((a.b)[1])(2,3)).c)))'],
	])('%s reads as %s', (text, wanted) => {
		const { expr, diagnostics } = parseExpression('', text)
		expect(diagnostics).toEqual([])
		expect(shape(expr)).toBe(wanted)
	})
})

describe('places', () => {
	it('are inclusive byte ranges', () => {
		const { file } = parseFile('f', 'é = "ü" + b.c\n')
		const { value } = file.body[0] as ast.Attribute
		expect([value.start, value.end]).toEqual([5, 14])
		expect(file.source.position(value.end)).toEqual({ filename: 'f', offset: 14, line: 1, column: 15 })
		expect(file.source.text(value.start, value.end + 1)).toBe('"ü" + b.c')
	})

	it('of a block reach from its name to its brace', () => {
		const { file } = parseFile('f', 'a.b "c" {\n\tx = 1\n}\n')
		expect(file.body[0]).toMatchObject({
			start: 0,
			end: 17,
			name: ['a', 'b'],
			label: 'c',
			labelPos: 4,
			lcurly: 8,
		})
	})
})

describe('mistakes', () => {
	it('are all found, at most one a line', () => {
		expect(errors('a = = 1\nb = 2 3 4 5\nc {\n  d = [1 2]\n}\ne = 1\n')).toEqual([
			'f:1:5: expected expression, got =',
			'f:2:7: expected TERMINATOR, got NUMBER',
			"f:4:10: missing ',' in expression list",
		])
	})

	it('of one statement do not spoil the next', () => {
		const { file } = parseFile('f', 'a = (1 2\n\nb "x" {\n}\n')
		expect(file.body.at(-1)).toMatchObject({ kind: 'block' })
	})

	it('point at the whole block that stands where a value should', () => {
		const [one] = parseFile('f', 'a = b.c "x" {\n  d = 1\n}\n').diagnostics
		expect(one).toMatchObject({
			message: 'cannot use a block as an expression',
			start: { line: 1, column: 5 },
			end: { line: 3, column: 1 },
		})
	})

	it('point at a whole dotted name and at a whole label', () => {
		const [name, label] = parseFile('f', 'a.b = 1\nc "d" = 2\n').diagnostics
		expect([name!.start.column, name!.end.column]).toEqual([1, 3])
		expect([label!.start.column, label!.end.column]).toEqual([3, 5])
		expect(label!.message).toBe('attribute names may not have labels')
	})

	it('behind an expression are noted too', () => {
		expect(parseExpression('', '1 2').diagnostics.map((one) => one.message)).toEqual([
			'expected TERMINATOR, got NUMBER',
		])
		expect(parseExpression('', '').diagnostics.map((one) => one.message)).toEqual([
			'expected expression, got EOF',
		])
	})
})

const nests: Record<string, (levels: number) => string> = {
	arrays: (n) => `a = ${'['.repeat(n)}${']'.repeat(n)}`,
	'arrays on lines': (n) => `a = ${'[\n'.repeat(n)}1${',\n]'.repeat(n)}`,
	objects: (n) => `a = ${'{b = '.repeat(n)}1${'}'.repeat(n)}`,
	parentheses: (n) => `a = ${'('.repeat(n)}1${')'.repeat(n)}`,
	'parentheses with an operator': (n) => `a = ${'(1 + '.repeat(n)}1${')'.repeat(n)}`,
	calls: (n) => `a = ${'f('.repeat(n)}1${')'.repeat(n)}`,
	indexes: (n) => `a = ${'f['.repeat(n)}1${']'.repeat(n)}`,
	blocks: (n) => `${'a {\n'.repeat(n)}${'}\n'.repeat(n)}`,
	signs: (n) => `a = ${'!'.repeat(n)}b`,
	powers: (n) => `a = 1${' ^ 1'.repeat(n)}`,
	sums: (n) => `a = 1${' + 1'.repeat(n)}`,
	fields: (n) => `a = b${'.c'.repeat(n)}`,
	'calls of calls': (n) => `a = b${'()'.repeat(n)}`,
}

describe('nesting', () => {
	it.each(Object.keys(nests))('of 1 000 levels parses and prints: %s', (kind) => {
		const text = nests[kind]!(1000)
		const { text: printed, diagnostics } = formatSource('f', text)
		expect(diagnostics).toEqual([])
		const again = parseFile('f', printed!)
		expect(again.diagnostics).toEqual([])
		expect(sameBody(parseFile('f', text).file.body, again.file.body)).toBe(true)
	})

	it.each([...Object.keys(nests)])('beyond the limit is one diagnostic: %s', (kind) => {
		for (const levels of [3 * maxDepth, 300_000]) {
			const found = errors(nests[kind]!(levels))
			expect(found).toHaveLength(1)
			expect(found[0]).toMatch(/nesting is deeper than \d+ levels$/)
		}
	})

	it('beyond the limit in mistakes is no crash either', () => {
		expect(errors('a = b {\n'.repeat(200_000))).toHaveLength(1)
		expect(errors('[{('.repeat(100_000)).length).toBeGreaterThan(0)
		expect(errors('a = [{('.repeat(100_000)).length).toBeGreaterThan(0)
	})
})
