import { bytesToText, quote, textToBytes } from '../text.ts'
import {
	ArrayValue,
	boolValue,
	floatValue,
	intValue,
	nullValue,
	ObjectValue,
	stringValue,
	type Value,
} from '../values.ts'
import { FunctionError } from './function.ts'

/** Go's limit is 10 000; ours leaves room on the stack for whatever reads the value. */
const maxDepth = 1000
const refusesSpace = /^(in literal|in numeric|after decimal|in exponent|in string escape|in \\u)/

/** JSON as Go's `encoding/json` reads it into `any`, with its error texts. Every number is a float. */
export const decodeJson = (text: string): Value => new JsonReader(textToBytes(text), false).read()

/** `at` is the offset of the byte that could not be taken. */
export class JsonError extends FunctionError {
	readonly at: number
	constructor(message: string, at: number) {
		super(message)
		this.at = at
	}
}

export class JsonReader {
	readonly #bytes: string
	readonly #integers: boolean
	#at = 0

	/** `integers`: whole numbers become integers instead of floats. */
	constructor(bytes: string, integers: boolean) {
		this.#bytes = bytes
		this.#integers = integers
	}

	read(): Value {
		this.#space()
		const value = this.#value(0, 'looking for beginning of value')
		this.#space()
		if (this.#at < this.#bytes.length) throw this.#invalid('after top-level value')
		return value
	}

	#space(): void {
		while (this.#at < this.#bytes.length && ' \t\r\n'.includes(this.#bytes[this.#at]!)) this.#at++
	}

	/** The error at the present byte; at the end of the input Go says so instead. */
	#invalid(context: string): JsonError {
		if (this.#at >= this.#bytes.length) {
			// Go feeds a space at the end of the input: what may not be followed by one complains about that.
			const text = refusesSpace.test(context)
				? `invalid character ' ' ${context}`
				: 'unexpected end of JSON input'
			return new JsonError(text, this.#at)
		}
		return new JsonError(`invalid character ${quoteByte(this.#bytes[this.#at]!)} ${context}`, this.#at)
	}

	#value(depth: number, context: string): Value {
		const char = this.#bytes[this.#at]
		switch (char) {
			case '{':
				return this.#object(depth + 1)
			case '[':
				return this.#array(depth + 1)
			case '"':
				return stringValue(this.#string())
			case 't':
				return this.#word('true', boolValue(true))
			case 'f':
				return this.#word('false', boolValue(false))
			case 'n':
				return this.#word('null', nullValue)
			default:
				if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) return this.#number()
				throw this.#invalid(context)
		}
	}

	#deeper(depth: number): void {
		if (depth > maxDepth) throw new FunctionError('exceeded max depth')
		this.#at++
		this.#space()
	}

	#object(depth: number): Value {
		this.#deeper(depth)
		const fields = new Map<string, Value>()
		if (this.#bytes[this.#at] === '}') {
			this.#at++
			return new ObjectValue(fields)
		}
		for (;;) {
			if (this.#bytes[this.#at] !== '"') throw this.#invalid('looking for beginning of object key string')
			const key = this.#string()
			this.#space()
			if (this.#bytes[this.#at] !== ':') throw this.#invalid('after object key')
			this.#at++
			this.#space()
			fields.set(key, this.#value(depth, 'looking for beginning of value'))
			this.#space()
			const next = this.#bytes[this.#at]
			if (next !== ',' && next !== '}') throw this.#invalid('after object key:value pair')
			this.#at++
			if (next === '}') return new ObjectValue(fields)
			this.#space()
		}
	}

	#array(depth: number): Value {
		this.#deeper(depth)
		const items: Value[] = []
		if (this.#bytes[this.#at] === ']') {
			this.#at++
			return new ArrayValue(items)
		}
		for (;;) {
			items.push(this.#value(depth, 'looking for beginning of value'))
			this.#space()
			const next = this.#bytes[this.#at]
			if (next !== ',' && next !== ']') throw this.#invalid('after array element')
			this.#at++
			if (next === ']') return new ArrayValue(items)
			this.#space()
		}
	}

	#word(word: string, value: Value): Value {
		for (let i = 1; i < word.length; i++) {
			this.#at++
			if (this.#bytes[this.#at] !== word[i])
				throw this.#invalid(`in literal ${word} (expecting '${word[i]}')`)
		}
		this.#at++
		return value
	}

	#digits(): boolean {
		const from = this.#at
		while (/[0-9]/.test(this.#bytes[this.#at] ?? '')) this.#at++
		return this.#at > from
	}

	#number(): Value {
		const from = this.#at
		if (this.#bytes[this.#at] === '-') this.#at++
		if (this.#bytes[this.#at] === '0') this.#at++
		else if (!this.#digits()) throw this.#invalid('in numeric literal')
		if (this.#bytes[this.#at] === '.') {
			this.#at++
			if (!this.#digits()) throw this.#invalid('after decimal point in numeric literal')
		}
		if (this.#bytes[this.#at] === 'e' || this.#bytes[this.#at] === 'E') {
			this.#at++
			if (this.#bytes[this.#at] === '+' || this.#bytes[this.#at] === '-') this.#at++
			if (!this.#digits()) throw this.#invalid('in exponent of numeric literal')
		}
		const text = this.#bytes.slice(from, this.#at)
		const data = Number(text)
		if (!Number.isFinite(data))
			throw new FunctionError(`json: cannot unmarshal number ${text} into Go value of type float64`)
		if (this.#integers && /^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text))
			return intValue(BigInt(text))
		return floatValue(data)
	}

	#string(): string {
		let out = ''
		this.#at++
		for (;;) {
			const char = this.#bytes[this.#at]
			if (char === '"') {
				this.#at++
				return bytesToText(out).replace(/[\uDC80-\uDCFF]/g, (one, at: number, all: string) => {
					const before = all.charCodeAt(at - 1)
					return before >= 0xd800 && before <= 0xdbff ? one : '\ufffd'
				})
			}
			if (char === undefined || char < ' ') throw this.#invalid('in string literal')
			this.#at++
			if (char !== '\\') out += char
			else out += textToBytes(this.#escape())
		}
	}

	#escape(): string {
		const char = this.#bytes[this.#at]
		const known = char === undefined ? undefined : escapes[char]
		if (known !== undefined) {
			this.#at++
			return known
		}
		if (char !== 'u') throw this.#invalid('in string escape code')
		const code = this.#unicode()
		if (code < 0xd800 || code > 0xdfff) return String.fromCharCode(code)
		if (code > 0xdbff || this.#bytes.slice(this.#at, this.#at + 2) !== '\\u') return '\ufffd'
		const back = this.#at
		this.#at++
		const low = this.#unicode()
		if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(code, low)
		this.#at = back
		return '\ufffd'
	}

	/** `uXXXX` at the present byte. */
	#unicode(): number {
		this.#at++
		const from = this.#at
		for (; this.#at < from + 4; this.#at++)
			if (!/[0-9a-fA-F]/.test(this.#bytes[this.#at] ?? ''))
				throw this.#invalid('in \\u hexadecimal character escape')
		return Number.parseInt(this.#bytes.slice(from, from + 4), 16)
	}
}

const escapes: Readonly<Record<string, string>> = {
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
	'\\': '\\',
	'/': '/',
	'"': '"',
}

/** Go takes the byte for a Latin-1 character. */
function quoteByte(char: string): string {
	if (char === "'") return "'\\''"
	if (char === '"') return `'"'`
	return `'${quote(char).slice(1, -1)}'`
}
