import { bytesToText, textToBytes } from '../text.ts'
import { FunctionError } from './function.ts'

/** A name without quotes. */
const name = /[#%0-9:;?A-Z^_a-z{|}~\x80-\xff]*/y

/** The text of a path, one byte a character, and how far it was read; errors are placed in the library's words. */
export class PathReader {
	readonly bytes: string
	at = 0

	constructor(path: string) {
		this.bytes = textToBytes(path)
	}

	get byte(): string | undefined {
		return this.bytes[this.at]
	}

	get isAtEnd(): boolean {
		return this.at >= this.bytes.length
	}

	fail(message: string): never {
		throw new FunctionError(`${message} at ${this.at + 1} in ${bytesToText(this.bytes)}`)
	}

	/** What `pattern`, which is sticky, finds here, taken; '' where it finds nothing. */
	match(pattern: RegExp): string {
		pattern.lastIndex = this.at
		const found = pattern.exec(this.bytes)?.[0] ?? ''
		this.at += found.length
		return found
	}

	/** Without quotes; '' where none begins. */
	name(): string {
		return bytesToText(this.match(name))
	}

	/** Takes spaces; one that ends the text stays. */
	spaces(): void {
		while (this.bytes[this.at] === ' ' && this.at + 1 < this.bytes.length) this.at++
	}

	/** The next byte that is no space, taken. */
	take(): string | undefined {
		this.spaces()
		return this.at < this.bytes.length ? this.bytes[this.at++] : undefined
	}

	/** The next byte that is no space; the spaces are taken. */
	peek(): string | undefined {
		while (this.bytes[this.at] === ' ') this.at++
		return this.bytes[this.at]
	}

	integer(): number {
		const match = /^-?\d+/.exec(this.bytes.slice(this.at, this.at + 20))
		if (match === null) {
			this.at++
			this.fail('expected a number')
		}
		this.at += match[0].length
		// The library takes a lone digit at the end for none.
		if (match[0].length === 1 && this.at === this.bytes.length) this.fail('expected a number')
		return Number(match[0])
	}

	/** A quoted text whose first quote was taken, up to the same one. */
	text(end: string): string {
		let out = ''
		for (;;) {
			const byte = this.bytes[this.at++]
			if (byte === undefined || byte === end) return bytesToText(out)
			if (byte !== '\\') out += byte
			else {
				const code = this.bytes[this.at++] ?? ''
				const known = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', "'": "'", '\\': '\\' }[code]
				const hex = /^[0-9a-fA-F]+$/
				const width = code === 'x' ? 2 : code === 'u' || code === 'U' ? 4 : 0
				const digits = this.bytes.slice(this.at, this.at + width)
				if (known !== undefined) out += known
				else if (width > 0 && digits.length === width && hex.test(digits)) {
					const char = String.fromCharCode(Number.parseInt(digits, 16))
					out += width === 2 ? char : textToBytes(char)
					this.at += width
				} else
					throw new FunctionError(
						`0x${code.charCodeAt(0).toString(16).padStart(2, '0')} (${code}) is not a valid escaped character`,
					)
			}
		}
	}
}
