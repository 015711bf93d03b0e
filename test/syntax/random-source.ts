import * as fc from 'fast-check'

/**
 * Random texts of the language, with the layout of an untidy author: comments, empty lines, values over several lines.
 * What Alloy's format is known to damage is left out: comments inside or beside calls, parentheses and operations in a
 * list (Alloy only guesses where those stood), escapes in quoted keys, tabs and trailing blanks in raw strings, empty calls over lines.
 */
const name = fc.constantFrom('a', 'b1', '_u', 'targets', 'very_long_attribute_name_here', 'é', 'x')
const blank = fc.constantFrom('', ' ', '  ', '\t')
/** Where a line may break. */
const space = fc.constantFrom('', ' ', '\n', '\n\n\n', '\n\t')
const commented = fc.constantFrom('', ' ', '\n', '\n\n', ' // c\n', '\n// own line\n', '\n/* two\nlines */\n')
const literals = [
	'1',
	'007',
	'1.5',
	'.5',
	'1e3',
	'true',
	'null',
	'"s"',
	'"\\n\\u00e9"',
	'"é"',
	'`raw`',
	'`two\nlines`',
]
const literal = fc.constantFrom(...literals)
const operator = fc.constantFrom('||', '&&', '==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '^')

type Item = readonly [string, string]

/** A comma behind the last item, as it is needed before a line break. */
function list(items: readonly Item[]): string {
	if (items.length === 0) return ''
	return `${items.map(([before, item]) => before + item).join(',')},${items[0]![0]}`
}

const items = (between: fc.Arbitrary<string>, item: fc.Arbitrary<string>): fc.Arbitrary<Item[]> =>
	fc.array(fc.tuple(between, item), { maxLength: 4 })

const field = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
	fc
		.tuple(fc.oneof(name, fc.constantFrom('"q k"', '"é"')), blank, value)
		.map(([key, pad, text]) => `${key}${pad}=${pad}${text}`)

/** Without comments. */
const { plain } = fc.letrec<{ plain: string }>((tie) => ({
	plain: fc.oneof(
		{ depthSize: 'small', withCrossShrink: true },
		literal,
		name,
		fc
			.tuple(tie('plain'), operator, space, tie('plain'))
			.map(([left, op, gap, right]) => `${left} ${op}${gap}${right}`),
		fc.tuple(fc.constantFrom('-', '!'), tie('plain')).map(([op, value]) => `${op}${value}`),
		fc.tuple(name, name).map(([value, key]) => `${value}.${key}`),
		fc.tuple(name, tie('plain')).map(([value, index]) => `${value}[${index}]`),
		tie('plain').map((value) => `(${value})`),
		items(space, tie('plain')).map((args) => `f(${list(args)})`),
		items(space, tie('plain')).map((elements) => `[${list(elements)}]`),
		items(space, field(tie('plain'))).map((fields) => `{${list(fields)}}`),
	),
}))

/** Every token of these has a place that the printer knows. */
const placed = fc.oneof(
	literal,
	name,
	fc.tuple(fc.constantFrom('-', '!'), literal).map(([op, value]) => op + value),
	fc.tuple(name, literal).map(([value, index]) => `${value}[${index}]`),
)

const { rich } = fc.letrec<{ rich: string }>((tie) => ({
	rich: fc.oneof(
		{ depthSize: 'small', withCrossShrink: true },
		placed,
		items(commented, tie('rich')).map((elements) => `[${list(elements)}]`),
		items(commented, field(tie('rich'))).map((fields) => `{${list(fields)}}`),
	),
}))

const end = fc.constantFrom(
	'\n',
	'\n\n\n',
	' // c\n',
	' /* c */\n',
	'\r\n',
	'\n// own\n',
	'\n\n/* own\n\tlines */\n',
)
const start = fc.constantFrom('\n', ' // c\n', '\n\n', '')

const { body } = fc.letrec<{ body: string; statement: string }>((tie) => ({
	body: fc
		.array(fc.tuple(tie('statement'), end), { maxLength: 5 })
		.map((statements) => statements.map(([statement, after]) => statement + after).join('')),
	statement: fc.oneof(
		{ depthSize: 'small', withCrossShrink: true },
		fc.tuple(name, blank, fc.oneof(plain, rich)).map(([key, pad, value]) => `${key}${pad}=${pad}${value}`),
		fc
			.tuple(name, name, fc.constantFrom('', '"l"', '""'), start, tie('body'))
			.map(([first, second, label, after, inner]) => `${first}.${second} ${label} {${after}${inner}}`),
	),
}))

export const randomSource: fc.Arbitrary<string> = body
