import { bytesToText } from '../text.ts'
import type { PathReader } from './json-path-reader.ts'
import { type Equation, type Fragment, nothing } from './json-path-syntax.ts'

/** How tightly an operator binds. */
const binding: Readonly<Record<string, number>> = {
	'||': 1,
	'&&': 1,
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

/** Reads the equations of filters: `?(@.price < 10)`. */
export class FilterParser {
	readonly #reader: PathReader
	/** Reads the paths that stand in them. */
	readonly #path: () => readonly Fragment[]
	#depth = 0

	constructor(reader: PathReader, path: () => readonly Fragment[]) {
		this.#reader = reader
		this.#path = path
	}

	/** `minimum`: operators that bind less are left to the caller. */
	equation(minimum = 0): Equation {
		const reader: PathReader = this.#reader
		if (++this.#depth > maxDepth) reader.fail('filter is nested too deeply')
		let left = this.#operand()
		for (;;) {
			const byte = reader.peek()
			if (byte === undefined || byte === ',' || byte === ')' || byte === ']') break
			const op = this.#operator()
			const power = binding[op]!
			if (power < minimum) break
			reader.at += op.length
			left = { kind: 'binary', op, left, right: this.equation(power + 1) }
		}
		this.#depth--
		return left
	}

	#operator(): string {
		const reader: PathReader = this.#reader
		const rest = reader.bytes.slice(reader.at, reader.at + 8)
		const op = /^(\|\||&&|==|!=|<=|>=|=~|~=|<|>|\+|-|\*|\/|in\b|has\b|exists\b|empty\b)/.exec(rest)?.[0]
		if (op === undefined) {
			const token = /^[!&+\-*/<=>|~]{0,2}/.exec(rest)?.[0] ?? ''
			reader.at += token.length
			reader.fail(`'${token}' is not a valid operation`)
		}
		return op
	}

	#operand(): Equation {
		const reader: PathReader = this.#reader
		const byte = reader.peek()
		switch (byte) {
			case '!':
				reader.at++
				// As the library reads it: of everything behind it.
				return { kind: 'not', operand: this.equation() }
			case "'":
			case '"':
				reader.at++
				return { kind: 'value', data: reader.text(byte) }
			case '@':
			case '$':
				return { kind: 'path', path: this.#path() }
			case '(': {
				reader.at++
				const inner = this.equation()
				if (reader.peek() !== ')') reader.fail('not terminated')
				reader.at++
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
		const reader: PathReader = this.#reader
		const items: unknown[] = []
		reader.at++
		while (reader.peek() !== ']') {
			const item = this.equation()
			if (item.kind !== 'value') reader.fail('expected a value')
			items.push(item.data)
			if (reader.peek() === ',') reader.at++
			else if (reader.peek() !== ']') reader.fail('expected a comma or an array close')
		}
		reader.at++
		return items
	}

	#regex(): RegExp {
		const reader: PathReader = this.#reader
		const from = ++reader.at
		while (!reader.isAtEnd && reader.byte !== '/') reader.at += reader.byte === '\\' ? 2 : 1
		const source = bytesToText(reader.bytes.slice(from, reader.at))
		reader.at++
		return this.#compile(source)
	}

	#compile(source: string): RegExp {
		try {
			return new RegExp(source, 'u')
		} catch {
			return this.#reader.fail(`error parsing regexp: ${source}`)
		}
	}

	#word(): Equation {
		const reader: PathReader = this.#reader
		const rest = reader.bytes.slice(reader.at)
		const number = /^-?\d+(\.\d*)?([eE][-+]?\d+)?/.exec(rest)?.[0]
		if (number !== undefined) {
			reader.at += number.length
			return { kind: 'value', data: /[.eE]/.test(number) ? Number(number) : BigInt(number) }
		}
		const word = /^(Nothing|[a-z]*)/.exec(rest)![0]
		const constants: Readonly<Record<string, null | boolean | typeof nothing>> = {
			true: true,
			false: false,
			null: null,
			Nothing: nothing,
		}
		if (Object.hasOwn(constants, word)) {
			reader.at += word.length
			return { kind: 'value', data: constants[word]! }
		}
		if (!functions.has(word)) reader.fail(`'${word}' is not a value or function`)
		reader.at += word.length
		if (reader.byte !== '(') reader.fail(`expected a ${word} function`)
		reader.at++
		const args = [this.equation()]
		if (reader.peek() === ',') {
			reader.at++
			args.push(this.equation())
		}
		if (reader.peek() !== ')') reader.fail('not terminated')
		reader.at++
		return { kind: 'call', name: word, args }
	}
}
