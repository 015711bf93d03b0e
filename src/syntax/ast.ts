import type { Source } from './source.ts'

/**
 * The syntax tree. `start` and `end` are byte offsets into the source, `end` is that of the last byte (inclusive, as in
 * Alloy's ranges). Both are stored, so that asking a deep tree for its place costs nothing. Statements and files know
 * their `source`; expressions are always reached through one.
 */
export interface File {
	readonly kind: 'file'
	readonly name: string
	readonly source: Source
	readonly body: Body
	readonly comments: readonly CommentGroup[]
}

export type Body = readonly Statement[]
export type Statement = Attribute | Block

export interface Attribute {
	readonly kind: 'attribute'
	readonly source: Source
	readonly start: number
	readonly end: number
	readonly name: Ident
	readonly value: Expr
}

export interface Block {
	readonly kind: 'block'
	readonly source: Source
	readonly start: number
	readonly end: number
	/** The parts of the dotted name. */
	readonly name: readonly string[]
	/** '' when there is none. */
	readonly label: string
	/** Offset of the label's opening quote, -1 when there is no label. */
	readonly labelPos: number
	readonly body: Body
	readonly lcurly: number
	/** Equal to `end`. */
	readonly rcurly: number
}

/** Neighbouring comments with no blank line or token between them. */
export interface CommentGroup {
	readonly start: number
	readonly end: number
	readonly comments: readonly Comment[]
}

export interface Comment {
	readonly start: number
	readonly end: number
	/** With its marks (`//` or both ends of a block comment), without carriage returns and the final newline. */
	readonly text: string
}

export interface Ident {
	readonly name: string
	readonly start: number
	readonly end: number
}

export type Expr =
	| Literal
	| ArrayExpr
	| ObjectExpr
	| Identifier
	| Access
	| Index
	| Call
	| Unary
	| Binary
	| Paren

export type LiteralType = 'null' | 'bool' | 'number' | 'float' | 'string'
export type UnaryOp = '!' | '-'
export type BinaryOp = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%' | '^'

export interface Literal {
	readonly kind: 'literal'
	readonly start: number
	readonly end: number
	readonly type: LiteralType
	/** As written: a string keeps its quotes and escapes, a raw string its backticks. */
	readonly raw: string
}

export interface ArrayExpr {
	readonly kind: 'array'
	readonly start: number
	readonly end: number
	readonly elements: readonly Expr[]
}

export interface ObjectExpr {
	readonly kind: 'object'
	readonly start: number
	readonly end: number
	readonly fields: readonly ObjectField[]
}

export interface ObjectField {
	/** For a quoted key the text between the quotes, not unescaped (as Alloy does it). */
	readonly name: Ident
	readonly quoted: boolean
	readonly value: Expr
}

export interface Identifier {
	readonly kind: 'identifier'
	readonly start: number
	readonly end: number
	readonly name: string
}

export interface Access {
	readonly kind: 'access'
	readonly start: number
	readonly end: number
	readonly value: Expr
	readonly name: Ident
}

export interface Index {
	readonly kind: 'index'
	readonly start: number
	readonly end: number
	readonly value: Expr
	readonly index: Expr
	readonly lbrack: number
}

export interface Call {
	readonly kind: 'call'
	readonly start: number
	readonly end: number
	readonly value: Expr
	readonly args: readonly Expr[]
	readonly lparen: number
}

export interface Unary {
	readonly kind: 'unary'
	readonly start: number
	readonly end: number
	readonly op: UnaryOp
	readonly value: Expr
}

export interface Binary {
	readonly kind: 'binary'
	readonly start: number
	readonly end: number
	readonly op: BinaryOp
	readonly opPos: number
	readonly left: Expr
	readonly right: Expr
}

export interface Paren {
	readonly kind: 'paren'
	readonly start: number
	readonly end: number
	readonly inner: Expr
}
