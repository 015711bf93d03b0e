import { bytesToText, textToBytes } from '../text.ts'
import { FunctionError } from './function.ts'

export type Fragment =
	| { readonly kind: 'root' | 'current' | 'wildcard' | 'descent' }
	| { readonly kind: 'child'; readonly name: string }
	| { readonly kind: 'nth'; readonly index: number }
	| {
			readonly kind: 'slice'
			readonly start: number
			readonly end: number | undefined
			readonly step: number
	  }
	| { readonly kind: 'union'; readonly members: readonly (string | number)[] }
	| { readonly kind: 'filter'; readonly test: Equation }

export type Equation =
	| {
			readonly kind: 'value'
			readonly data: null | boolean | number | string | RegExp | readonly unknown[] | typeof nothing
	  }
	| { readonly kind: 'path'; readonly path: readonly Fragment[] }
	| { readonly kind: 'not'; readonly operand: Equation }
	| { readonly kind: 'binary'; readonly op: string; readonly left: Equation; readonly right: Equation }
	| { readonly kind: 'call'; readonly name: string; readonly args: readonly Equation[] }

/** What a path that finds nothing is equal to. */
export const nothing = Symbol('nothing')

const binding: Readonly<Record<string, number>> = {
	'||': 1,
	'&&': 2,
	'==': 3,
	'!=': 3,
	'<': 3,
	'<=': 3,
	'>': 3,
	'>=': 3,
	'=~': 3,
	'~=': 3,
	in: 3,
	has: 3,
	exists: 3,
	empty: 3,
	'+': 4,
	'-': 4,
	'*': 5,
	'/': 5,
}

const functions: ReadonlySet<string> = new Set(['length', 'count', 'match', 'search'])
const maxDepth = 500

export function parsePath(path: string): readonly Fragment[] {
	const parser = new PathParser(textToBytes(path))
	return parser.parse()
}

/** Characters that may stand in a name without quotes. */
const isNameByte = (byte: string | undefined): boolean =>
	byte !== undefined && /[#%0-9:;?A-Z^_a-z{|}~\x80-\xff]/.test(byte)

class PathParser {
	readonly #bytes: string
	#at = 0
	#depth = 0

	constructor(bytes: string) {
		this.#bytes = bytes
	}

	parse(): readonly Fragment[] {
		const path = this.#path()
		if (this.#at < this.#bytes.length) this.#fail('parse error')
		return path
	}

	#fail(message: string): never {
		throw new FunctionError(`${message} at ${this.#at + 1} in ${bytesToText(this.#bytes)}`)
	}

	#path(): readonly Fragment[] {
		const out: Fragment[] = []
		for (;;) {
			const fragment = this.#fragment(out.length === 0, out.at(-1)?.kind === 'descent')
			if (fragment === undefined) return out
			out.push(fragment)
		}
	}

	#fragment(first: boolean, afterDescent: boolean): Fragment | undefined {
		const byte = this.#bytes[this.#at]
		if (byte === undefined) return undefined
		this.#at++
		switch (byte) {
			case '$':
				return first ? { kind: 'root' } : undefined
			case '@':
				return first ? { kind: 'current' } : undefined
			case '.':
				return this.#afterDot()
			case '*':
				return { kind: 'wildcard' }
			case '[':
				return this.#bracket()
			default:
				this.#at--
				return isNameByte(byte) && (first || afterDescent) ? this.#name() : undefined
		}
	}

	#afterDot(): Fragment {
		const byte = this.#bytes[this.#at]
		if (byte === undefined) this.#fail('not terminated')
		if (byte === '*' || byte === '.') {
			this.#at++
			return { kind: byte === '*' ? 'wildcard' : 'descent' }
		}
		if (!isNameByte(byte)) {
			this.#at++
			this.#fail(`an expression fragment can not start with a '${byte}'`)
		}
		return this.#name()
	}

	#name(): Fragment {
		const from = this.#at
		while (isNameByte(this.#bytes[this.#at])) this.#at++
		return { kind: 'child', name: bytesToText(this.#bytes.slice(from, this.#at)) }
	}

	/** The next byte that is no space, taken. */
	#take(): string | undefined {
		while (this.#bytes[this.#at] === ' ' && this.#at + 1 < this.#bytes.length) this.#at++
		return this.#at < this.#bytes.length ? this.#bytes[this.#at++] : undefined
	}

	#peek(): string | undefined {
		while (this.#bytes[this.#at] === ' ') this.#at++
		return this.#bytes[this.#at]
	}

	#bracket(): Fragment {
		if (this.#at >= this.#bytes.length) this.#fail('not terminated')
		const byte = this.#take()!
		if (byte === '*') {
			if (this.#take() !== ']') this.#fail('not terminated')
			return { kind: 'wildcard' }
		}
		if (byte === '?') return this.#filter()
		if (byte === ':') return this.#slice(0)
		if (byte === "'" || byte === '"') {
			const text = this.#text(byte)
			const next = this.#take()
			if (next === ']') return { kind: 'child', name: text }
			if (next === ',') return this.#union(text)
			this.#fail('invalid bracket fragment')
		}
		if (/[-0-9]/.test(byte)) {
			this.#at--
			const index = this.#integer()
			const next = this.#take()
			if (next === ']') return { kind: 'nth', index }
			if (next === ',') return this.#union(index)
			if (next === ':') return this.#slice(index)
			this.#fail('invalid bracket fragment')
		}
		this.#at--
		this.#fail('parse error')
	}

	#integer(): number {
		const match = /^-?\d+/.exec(this.#bytes.slice(this.#at, this.#at + 20))
		if (match === null) {
			this.#at++
			this.#fail('expected a number')
		}
		this.#at += match[0].length
		// The library takes a lone digit at the end for none.
		if (match[0].length === 1 && this.#at === this.#bytes.length) this.#fail('expected a number')
		return Number(match[0])
	}

	#slice(start: number): Fragment {
		let end: number | undefined
		let step = 1
		if (this.#at >= this.#bytes.length) this.#fail('not terminated')
		if (this.#peek() !== ':' && this.#peek() !== ']') end = this.#integer()
		if (this.#peek() === ':') {
			this.#at++
			if (this.#at >= this.#bytes.length) this.#fail('not terminated')
			if (this.#peek() !== ']') step = this.#integer()
		}
		if (this.#take() !== ']') this.#fail('invalid slice syntax')
		return { kind: 'slice', start, end, step }
	}

	#union(first: string | number): Fragment {
		const members: (string | number)[] = [first]
		if (this.#at >= this.#bytes.length) this.#fail('not terminated')
		for (;;) {
			const byte = this.#take()
			if (byte === "'" || byte === '"') members.push(this.#text(byte))
			else if (byte !== undefined && /[-0-9]/.test(byte)) {
				this.#at--
				members.push(this.#integer())
			} else this.#fail('invalid union syntax')
			const next = this.#take()
			if (next === ']') return { kind: 'union', members }
			if (next !== ',') this.#fail('invalid union syntax')
		}
	}

	#text(end: string): string {
		let out = ''
		for (;;) {
			const byte = this.#bytes[this.#at++]
			if (byte === undefined || byte === end) return bytesToText(out)
			if (byte !== '\\') out += byte
			else {
				const code = this.#bytes[this.#at++] ?? ''
				const known = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', "'": "'", '\\': '\\' }[code]
				const hex = /^[0-9a-fA-F]+$/
				const width = code === 'x' ? 2 : code === 'u' || code === 'U' ? 4 : 0
				const digits = this.#bytes.slice(this.#at, this.#at + width)
				if (known !== undefined) out += known
				else if (width > 0 && digits.length === width && hex.test(digits)) {
					const char = String.fromCharCode(Number.parseInt(digits, 16))
					out += width === 2 ? char : textToBytes(char)
					this.#at += width
				} else
					throw new FunctionError(
						`0x${code.charCodeAt(0).toString(16).padStart(2, '0')} (${code}) is not a valid escaped character`,
					)
			}
		}
	}

	#filter(): Fragment {
		if (this.#at >= this.#bytes.length) this.#fail('not terminated')
		const test = this.#equation(0)
		if (this.#peek() !== ']') this.#fail('not terminated')
		this.#at++
		return { kind: 'filter', test }
	}

	#equation(minimum: number): Equation {
		if (++this.#depth > maxDepth) this.#fail('filter is nested too deeply')
		let left = this.#operand()
		for (;;) {
			const byte = this.#peek()
			if (byte === undefined || byte === ',' || byte === ')' || byte === ']') break
			const op = this.#operator()
			const power = binding[op]!
			if (power < minimum) break
			this.#at += op.length
			left = { kind: 'binary', op, left, right: this.#equation(power + 1) }
		}
		this.#depth--
		return left
	}

	#operator(): string {
		const rest = this.#bytes.slice(this.#at, this.#at + 8)
		const op = /^(\|\||&&|==|!=|<=|>=|=~|~=|<|>|\+|-|\*|\/|in\b|has\b|exists\b|empty\b)/.exec(rest)?.[0]
		if (op === undefined) {
			const token = /^[!&+\-*/<=>|~]{0,2}/.exec(rest)?.[0] ?? ''
			this.#at += token.length
			this.#fail(`'${token}' is not a valid operation`)
		}
		return op
	}

	#operand(): Equation {
		const byte = this.#peek()
		switch (byte) {
			case '!':
				this.#at++
				return { kind: 'not', operand: this.#equation(6) }
			case "'":
			case '"':
				this.#at++
				return { kind: 'value', data: this.#text(byte) }
			case '@':
			case '$':
				return { kind: 'path', path: this.#path() }
			case '(': {
				this.#at++
				const inner = this.#equation(0)
				if (this.#peek() !== ')') this.#fail('not terminated')
				this.#at++
				return inner
			}
			case '[':
				return { kind: 'value', data: this.#list() }
			case '/':
				return { kind: 'value', data: this.#regex() }
			default:
				return this.#word()
		}
	}

	#list(): readonly unknown[] {
		const items: unknown[] = []
		this.#at++
		while (this.#peek() !== ']') {
			const item = this.#equation(0)
			if (item.kind !== 'value') this.#fail('expected a value')
			items.push(item.data)
			if (this.#peek() === ',') this.#at++
			else if (this.#peek() !== ']') this.#fail('expected a comma or an array close')
		}
		this.#at++
		return items
	}

	#regex(): RegExp {
		const from = ++this.#at
		while (this.#at < this.#bytes.length && this.#bytes[this.#at] !== '/')
			this.#at += this.#bytes[this.#at] === '\\' ? 2 : 1
		const source = bytesToText(this.#bytes.slice(from, this.#at))
		this.#at++
		return this.compile(source)
	}

	compile(source: string): RegExp {
		try {
			return new RegExp(source, 'u')
		} catch {
			return this.#fail(`error parsing regexp: ${source}`)
		}
	}

	#word(): Equation {
		const rest = this.#bytes.slice(this.#at)
		const number = /^-?\d+(\.\d*)?([eE][-+]?\d+)?/.exec(rest)?.[0]
		if (number !== undefined) {
			this.#at += number.length
			return { kind: 'value', data: Number(number) }
		}
		const word = /^(Nothing|[a-z]*)/.exec(rest)![0]
		const constants: Readonly<Record<string, null | boolean | typeof nothing>> = {
			true: true,
			false: false,
			null: null,
			Nothing: nothing,
		}
		if (Object.hasOwn(constants, word)) {
			this.#at += word.length
			return { kind: 'value', data: constants[word]! }
		}
		if (!functions.has(word)) this.#fail(`'${word}' is not a value or function`)
		this.#at += word.length
		if (this.#bytes[this.#at] !== '(') this.#fail(`expected a ${word} function`)
		this.#at++
		const args = [this.#equation(0)]
		if (this.#peek() === ',') {
			this.#at++
			args.push(this.#equation(0))
		}
		if (this.#peek() !== ')') this.#fail('not terminated')
		this.#at++
		return { kind: 'call', name: word, args }
	}
}
