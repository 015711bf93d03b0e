/**
 * The words of the language. Numbers, so that the scanner and the parser compare small integers; `tokenText` is how a
 * token is called in diagnostics.
 */
export const Token = {
	Illegal: 0,
	Literal: 1,
	Eof: 2,
	Comment: 3,
	Ident: 4,
	Number: 5,
	Float: 6,
	String: 7,
	Null: 8,
	Bool: 9,
	Or: 10,
	And: 11,
	Not: 12,
	Assign: 13,
	Eq: 14,
	Neq: 15,
	Lt: 16,
	Lte: 17,
	Gt: 18,
	Gte: 19,
	Add: 20,
	Sub: 21,
	Mul: 22,
	Div: 23,
	Mod: 24,
	Pow: 25,
	LCurly: 26,
	RCurly: 27,
	LParen: 28,
	RParen: 29,
	LBrack: 30,
	RBrack: 31,
	Comma: 32,
	Dot: 33,
	Terminator: 34,
} as const

export type Token = (typeof Token)[keyof typeof Token]

export const tokenText: readonly string[] = [
	'ILLEGAL',
	'LITERAL',
	'EOF',
	'COMMENT',
	'IDENT',
	'NUMBER',
	'FLOAT',
	'STRING',
	'NULL',
	'BOOL',
	'||',
	'&&',
	'!',
	'=',
	'==',
	'!=',
	'<',
	'<=',
	'>',
	'>=',
	'+',
	'-',
	'*',
	'/',
	'%',
	'^',
	'{',
	'}',
	'(',
	')',
	'[',
	']',
	',',
	'.',
	'TERMINATOR',
]

/** How tightly a binary operator binds; 0 means that the token is none. */
export const precedence: readonly number[] = tokenText.map((_, kind) => {
	switch (kind) {
		case Token.Or:
			return 1
		case Token.And:
			return 2
		case Token.Eq:
		case Token.Neq:
		case Token.Lt:
		case Token.Lte:
		case Token.Gt:
		case Token.Gte:
			return 3
		case Token.Add:
		case Token.Sub:
			return 4
		case Token.Mul:
		case Token.Div:
		case Token.Mod:
			return 5
		case Token.Pow:
			return 6
		default:
			return 0
	}
})
