import { describe, expect, it } from 'vitest'
import { commentText } from '../../src/syntax/comment-text.ts'
import { Scanner } from '../../src/syntax/scanner.ts'
import { Source } from '../../src/syntax/source.ts'
import { Token, tokenText } from '../../src/syntax/token.ts'

function scan(text: string | Uint8Array): { tokens: string[]; errors: string[] } {
	const tokens: string[] = []
	const errors: string[] = []
	const scanner = new Scanner(new Source('t', text), (at, message) => errors.push(`${at} ${message}`))
	for (scanner.next(); scanner.kind !== Token.Eof; scanner.next()) {
		const kind = tokenText[scanner.kind]!
		tokens.push(scanner.kind === Token.Terminator ? ';' : `${kind}:${scanner.start}:${scanner.text()}`)
	}
	return { tokens, errors }
}

const kinds = (text: string): string =>
	scan(text)
		.tokens.map((one) => one.split(':')[0])
		.join(' ')

describe('the end of a line', () => {
	it.each([
		['a\nb', 'IDENT ; IDENT ;'],
		['a\n\n\nb', 'IDENT ; IDENT ;'],
		['1\n', 'NUMBER ;'],
		['1.5', 'FLOAT ;'],
		['"x"\n', 'STRING ;'],
		['true\nnull\n', 'BOOL ; NULL ;'],
		['{\n}\n', '{ } ;'],
		['(\n)\n', '( ) ;'],
		['[\n]\n', '[ ] ;'],
		['a +\nb', 'IDENT + IDENT ;'],
		['a,\nb', 'IDENT , IDENT ;'],
		['\n\n', ''],
	])('ends a statement only after a token that can end one: %j', (text, wanted) => {
		expect(kinds(text)).toBe(wanted)
	})

	it('stands before a comment that runs to it, behind one that does not', () => {
		expect(kinds('a // c\nb')).toBe('IDENT ; COMMENT IDENT ;')
		expect(kinds('a /* c */\nb')).toBe('IDENT ; COMMENT IDENT ;')
		expect(kinds('a /* c */ /* d */ // e')).toBe('IDENT ; COMMENT COMMENT COMMENT')
		expect(kinds('a /* 1\n2 */ b')).toBe('IDENT ; COMMENT IDENT ;')
		// Behind a comment in the middle of a line Alloy forgets that the statement could end.
		expect(kinds('a /* c */ b')).toBe('IDENT COMMENT IDENT ;')
	})
})

describe('bytes that cannot be read', () => {
	it('are reported where they stand, as bytes', () => {
		expect(scan(Buffer.from([0x61, 0xff, 0x62])).errors).toEqual([
			'1 illegal UTF-8 encoding',
			"1 illegal character U+FFFD '\ufffd'",
		])
		expect(scan('é\0').errors).toEqual(['2 illegal character NUL', '2 illegal character U+0000'])
	})

	it.each([
		['an overlong form', [0xc0, 0xaf]],
		['a surrogate', [0xed, 0xa0, 0x80]],
		['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
		['a sequence that is cut', [0xe2, 0x82]],
	])('include %s', (_name, bytes) => {
		const errors = scan(Buffer.from([0x22, ...bytes, 0x22])).errors
		expect(errors).toEqual(bytes.map((_, i) => `${i + 1} illegal UTF-8 encoding`))
	})

	it('are reported twice in a comment that had to be read ahead', () => {
		expect(scan('a /* \0 */\n').errors).toEqual(['5 illegal character NUL', '5 illegal character NUL'])
	})

	it('do not include a byte order mark at the very start', () => {
		expect(scan('\ufeffa')).toEqual({ tokens: ['IDENT:3:a', ';'], errors: [] })
		expect(scan('a\ufeff').errors).toEqual(['1 illegal byte order mark'])
	})
})

describe('strings', () => {
	it.each([
		['"\\q"', '2 unknown escape sequence'],
		['"\\400"', '2 escape sequence is invalid Unicode code point'],
		['"\\ud800"', '2 escape sequence is invalid Unicode code point'],
		['"\\U00110000"', '2 escape sequence is invalid Unicode code point'],
		['"\\xg"', "2 illegal character U+0067 'g' in escape sequence"],
		['"\\x1\u00a0"', '2 illegal character U+00A0 in escape sequence'],
	])('%j holds a wrong escape', (text, wanted) => {
		expect(scan(text).errors).toEqual([wanted])
	})

	it('that end inside an escape say so, and that they do not end', () => {
		expect(scan('"\\').errors).toEqual([
			'2 escape sequence not terminated',
			'0 string literal not terminated',
		])
	})

	it('in backticks span lines and keep what stands in them', () => {
		expect(scan('`a\r\n\\q`').tokens).toEqual(['STRING:0:`a\r\n\\q`', ';'])
	})
})

describe('numbers', () => {
	it.each([
		['1.5.2', 'FLOAT FLOAT ;'],
		['0x1F', 'NUMBER IDENT ;'],
		['1_000', 'NUMBER IDENT ;'],
		['1..a', 'FLOAT . IDENT ;'],
		['.5', 'FLOAT ;'],
		['a.5', 'IDENT FLOAT ;'],
		['1e-', 'FLOAT ;'],
	])('%s is cut as Alloy cuts it', (text, wanted) => {
		expect(kinds(text)).toBe(wanted)
	})
})

it('comments lose carriage returns, but never gain an end', () => {
	expect(commentText('// a\r')).toBe('// a')
	expect(commentText('/* a\r\nb */')).toBe('/* a\nb */')
	expect(commentText('/**\r/ */')).toBe('/**\r/ */')
})
