import { readEscape } from './escapes.ts'
import { byteOrderMark, describeRune, isDigit, isLetter, runeAt } from './runes.ts'
import { decodeUtf8, type Source } from './source.ts'
import { Token } from './token.ts'
import { Unreadable } from './unreadable.ts'

/** What a byte below 0x80 may be part of. */
const wordStart = 1
const wordPart = 2
const charClass = new Uint8Array(256)
for (let c = 0; c < 128; c++) {
	const char = String.fromCharCode(c)
	if (/[A-Za-z_]/.test(char)) charClass[c] = wordStart | wordPart
	else if (/[0-9]/.test(char)) charClass[c] = wordPart
}

/** Tokens of exactly one byte that cannot start a longer one. */
const single = new Uint8Array(256)
for (const [char, kind] of [
	['+', Token.Add],
	['-', Token.Sub],
	['*', Token.Mul],
	['%', Token.Mod],
	['^', Token.Pow],
	['{', Token.LCurly],
	['}', Token.RCurly],
	['(', Token.LParen],
	[')', Token.RParen],
	['[', Token.LBrack],
	[']', Token.RBrack],
	[',', Token.Comma],
	['.', Token.Dot],
] as const) {
	single[char.charCodeAt(0)] = kind
}

/** Tokens after which the end of the line ends the statement. */
function endsStatement(kind: number): boolean {
	return kind === Token.RCurly || kind === Token.RParen || kind === Token.RBrack
}

const isDecimal = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

const newline = 0x0a
const slash = 0x2f
const star = 0x2a
const backslash = 0x5c

/** Cuts a source into tokens. `next` fills `kind`, `start` and `end` (exclusive); the text is made only when asked for. */
export class Scanner {
	kind: Token = Token.Illegal
	start = 0
	end = 0
	readonly #source: Source
	readonly #bytes: string
	readonly #report: (offset: number, message: string) => void
	/** Absent for a source in which every character can be read. */
	readonly #unreadable: Unreadable | undefined
	/** Where the next token is looked for. */
	#at = 0
	/** A newline met now ends a statement. */
	#terminates = false

	constructor(source: Source, report: (offset: number, message: string) => void) {
		this.#source = source
		this.#bytes = source.bytes
		this.#report = report
		if (Unreadable.cannotBeIn(source)) return
		this.#unreadable = new Unreadable(source, report)
		this.#unreadable.upTo(0)
		if (!source.bytes.startsWith('\xef\xbb\xbf')) return
		this.#at = 3
		this.#unreadable.upTo(3)
	}

	/** The current token as text. */
	text(): string {
		const slice = this.#bytes.slice(this.start, this.end)
		return this.#source.ascii ? slice : decodeUtf8(slice)
	}

	/** Makes the rest of the source invisible: from now on every token is the end of the file. */
	stop(): void {
		this.#at = this.#bytes.length
		this.#terminates = false
		this.#unreadable?.stop()
	}

	next(): void {
		const bytes = this.#bytes
		let at = this.#at
		let byte = bytes.charCodeAt(at)
		while (byte === 0x20 || byte === 0x09 || byte === 0x0d || (byte === newline && !this.#terminates)) {
			byte = bytes.charCodeAt(++at)
		}
		this.start = at
		if (charClass[byte]! & wordStart) this.#word(at + 1)
		else if (isDecimal(byte) || (byte === 0x2e && isDecimal(bytes.charCodeAt(at + 1)))) this.#number(at)
		else if (single[byte]) {
			const kind = single[byte]! as Token
			this.#emit(kind, at + 1, endsStatement(kind))
		} else if (byte >= 0x80 && isLetter(runeAt(bytes, at) >>> 3)) this.#word(at)
		else this.#other(byte, at)
		this.#unreadable?.upTo(this.#at)
	}

	#emit(kind: Token, end: number, terminates: boolean): void {
		this.kind = kind
		this.end = end
		this.#at = end
		this.#terminates = terminates
	}

	/** A complaint made while the character at `ahead` is the one being looked at. */
	#fail(ahead: number, offset: number, message: string): void {
		this.#unreadable?.upTo(ahead)
		this.#report(offset, message)
	}

	#word(from: number): void {
		const bytes = this.#bytes
		let at = from
		for (;;) {
			const byte = bytes.charCodeAt(at)
			if (byte < 0x80) {
				if ((charClass[byte]! & wordPart) === 0) break
				at++
			} else if (byte >= 0x80) {
				const packed = runeAt(bytes, at)
				if (!isLetter(packed >>> 3) && !isDigit(packed >>> 3)) break
				at += packed & 7
			} else break // NaN: the end
		}
		let kind: Token = Token.Ident
		const length = at - this.start
		if (length === 4 || length === 5) {
			const first = bytes.charCodeAt(this.start)
			if (length === 4) {
				if (first === 0x74 && bytes.startsWith('true', this.start)) kind = Token.Bool
				else if (first === 0x6e && bytes.startsWith('null', this.start)) kind = Token.Null
			} else if (first === 0x66 && bytes.startsWith('false', this.start)) kind = Token.Bool
		}
		this.#emit(kind, at, true)
	}

	#number(from: number): void {
		const bytes = this.#bytes
		let at = from
		let kind: Token = Token.Number
		while (isDecimal(bytes.charCodeAt(at))) at++
		if (bytes.charCodeAt(at) === 0x2e) {
			kind = Token.Float
			at++
			while (isDecimal(bytes.charCodeAt(at))) at++
		}
		if ((bytes.charCodeAt(at) | 0x20) === 0x65) {
			kind = Token.Float
			at++
			const sign = bytes.charCodeAt(at)
			if (sign === 0x2b || sign === 0x2d) at++
			const digits = at
			while (isDecimal(bytes.charCodeAt(at))) at++
			if (at === digits) this.#fail(at, from, 'exponent has no digits')
		}
		this.#emit(kind, at, true)
	}

	/** Everything that is neither a word, a number nor a mark of one byte. */
	#other(byte: number, at: number): void {
		const bytes = this.#bytes
		switch (byte) {
			case newline:
				this.#emit(Token.Terminator, at + 1, false)
				return
			case 0x22: // "
				this.#string(at, 0x22)
				return
			case 0x27: // '
				this.#fail(at + 1, at, 'illegal single-quoted string; use double quotes')
				this.#string(at, 0x27)
				return
			case 0x60: // `
				this.#raw(at)
				return
			case 0x7c: // |
				this.#double(Token.Or, at, byte, 'missing second | in ||')
				return
			case 0x26: // &
				this.#double(Token.And, at, byte, 'missing second & in &&')
				return
			case 0x21: // !
				this.#maybeEqual(Token.Not, Token.Neq, at)
				return
			case 0x3d: // =
				this.#maybeEqual(Token.Assign, Token.Eq, at)
				return
			case 0x3c: // <
				this.#maybeEqual(Token.Lt, Token.Lte, at)
				return
			case 0x3e: // >
				this.#maybeEqual(Token.Gt, Token.Gte, at)
				return
			case slash: {
				const second = bytes.charCodeAt(at + 1)
				if (second !== slash && second !== star) this.#emit(Token.Div, at + 1, false)
				else if (this.#terminates && this.#commentsEndLine(at)) this.#emit(Token.Terminator, at, false)
				else this.#comment(at, second)
				return
			}
			default:
				if (at >= bytes.length) {
					// The end of the text ends a statement too.
					this.#emit(this.#terminates ? Token.Terminator : Token.Eof, at, false)
					return
				}
				this.#illegal(at)
		}
	}

	#illegal(at: number): void {
		const packed = runeAt(this.#bytes, at)
		const end = at + (packed & 7)
		const rune = packed >>> 3
		if (rune !== byteOrderMark) this.#fail(end, at, `illegal character ${describeRune(rune)}`)
		this.#emit(Token.Illegal, end, this.#terminates)
	}

	#double(kind: Token, at: number, byte: number, message: string): void {
		const complete = this.#bytes.charCodeAt(at + 1) === byte
		if (!complete) this.#fail(at + 1, at + 1, message)
		this.#emit(kind, complete ? at + 2 : at + 1, false)
	}

	#maybeEqual(alone: Token, withEqual: Token, at: number): void {
		const equal = this.#bytes.charCodeAt(at + 1) === 0x3d
		this.#emit(equal ? withEqual : alone, equal ? at + 2 : at + 1, false)
	}

	#raw(start: number): void {
		let end = this.#bytes.indexOf('`', start + 1) + 1
		if (end === 0) {
			end = this.#bytes.length
			this.#fail(end, start, 'string literal not terminated')
		}
		this.#emit(Token.String, end, true)
	}

	#string(start: number, quote: number): void {
		const bytes = this.#bytes
		let at = start + 1
		for (;;) {
			const byte = bytes.charCodeAt(at)
			if (byte === quote) {
				at++
				break
			}
			if (byte === newline || at >= bytes.length) {
				this.#fail(at, start, 'string literal not terminated')
				break
			}
			at++
			if (byte === backslash) {
				const from = at
				at = readEscape(bytes, at, (reached, message) => this.#fail(reached, from, message))
			}
		}
		this.#emit(quote === 0x22 ? Token.String : Token.Illegal, at, true)
	}

	#comment(start: number, second: number): void {
		const bytes = this.#bytes
		let end: number
		if (second === slash) {
			end = bytes.indexOf('\n', start)
			if (end < 0) end = bytes.length
		} else {
			end = bytes.indexOf('*/', start + 2) + 2
			if (end < 2) {
				end = bytes.length
				this.#fail(end, start, 'block comment not terminated')
			}
		}
		this.#emit(Token.Comment, end, false)
	}

	/**
	 * Whether nothing but comments stands between the comment at `start` and the end of its line (a block comment that
	 * spans lines counts as such an end): then the statement ends before the comment.
	 */
	#commentsEndLine(start: number): boolean {
		const bytes = this.#bytes
		let at = start
		let found = false
		for (;;) {
			const second = bytes.charCodeAt(at + 1)
			if (second !== star) {
				found = second === slash
				at++
				break
			}
			const close = bytes.indexOf('*/', at + 2)
			const end = close < 0 ? bytes.length : close + 2
			const lineEnd = bytes.slice(at, end).indexOf('\n')
			if (lineEnd >= 0) {
				at += lineEnd
				found = true
				break
			}
			at = end
			let byte = bytes.charCodeAt(at)
			while (byte === 0x20 || byte === 0x09 || byte === 0x0d) byte = bytes.charCodeAt(++at)
			if (at >= bytes.length || byte === newline) {
				found = true
				break
			}
			if (byte !== slash) break
		}
		// They will be read, and complained about, a second time.
		this.#unreadable?.upTo(at)
		this.#unreadable?.again(start)
		return found
	}
}

/** Whether the text is one whole identifier (and no keyword). */
export function isIdentifier(text: string): boolean {
	return /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(text) && text !== 'true' && text !== 'false' && text !== 'null'
}
