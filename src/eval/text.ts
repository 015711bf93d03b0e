/**
 * Strings of the language are byte strings that usually hold UTF-8. They travel as JavaScript strings; a byte that is not
 * part of valid UTF-8 becomes one lone surrogate U+DC00 + byte, so that nothing is lost and the two forms convert both ways.
 */
const loneByte = /[\uDC80-\uDCFF]/

/** One character per byte ("binary" string) to text, keeping bytes that are not UTF-8. */
export function bytesToText(bytes: string): string {
	if (!/[^\0-\x7f]/.test(bytes)) return bytes
	let out = ''
	for (let at = 0; at < bytes.length; ) {
		const size = sequenceLength(bytes, at)
		if (size === 0) {
			out += String.fromCharCode(0xdc00 + bytes.charCodeAt(at))
			at++
			continue
		}
		const end = at + size
		out += size === 1 ? bytes[at] : Buffer.from(bytes.slice(at, end), 'latin1').toString('utf8')
		at = end
	}
	return out
}

/** Text to one character per byte. */
export function textToBytes(text: string): string {
	if (!/[^\0-\x7f]/.test(text)) return text
	if (!loneByte.test(text)) return Buffer.from(text, 'utf8').toString('latin1')
	let out = ''
	for (const char of text) {
		const code = char.codePointAt(0)!
		out +=
			code >= 0xdc80 && code <= 0xdcff
				? String.fromCharCode(code - 0xdc00)
				: Buffer.from(char, 'utf8').toString('latin1')
	}
	return out
}

/** Length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(bytes: string, at: number): number {
	const first = bytes.charCodeAt(at)
	if (first < 0x80) return 1
	const size =
		first >= 0xc2 && first <= 0xdf
			? 2
			: first >= 0xe0 && first <= 0xef
				? 3
				: first >= 0xf0 && first <= 0xf4
					? 4
					: 0
	if (size === 0 || at + size > bytes.length) return 0
	for (let i = 1; i < size; i++) {
		const next = bytes.charCodeAt(at + i)
		if (next < 0x80 || next > 0xbf) return 0
	}
	const second = bytes.charCodeAt(at + 1)
	if (first === 0xe0 && second < 0xa0) return 0
	if (first === 0xed && second > 0x9f) return 0
	if (first === 0xf0 && second < 0x90) return 0
	if (first === 0xf4 && second > 0x8f) return 0
	return size
}

/** Order of the bytes, as Go compares strings. */
export function compareText(a: string, b: string): number {
	if (a === b) return 0
	const left = textToBytes(a)
	const right = textToBytes(b)
	return left < right ? -1 : left > right ? 1 : 0
}

/** Go's `%q`: the shortest double-quoted literal. */
export function quote(text: string): string {
	let out = '"'
	for (const char of text) {
		const code = char.codePointAt(0)!
		if (char === '"' || char === '\\') out += `\\${char}`
		else if (code >= 0x20 && code < 0x7f) out += char
		else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${hex(code - 0xdc00, 2)}`
		else if (code > 0x7f && isPrintable(char)) out += char
		else out += escapeCode(code)
	}
	return `${out}"`
}

const short: Readonly<Record<number, string>> = {
	7: '\\a',
	8: '\\b',
	9: '\\t',
	10: '\\n',
	11: '\\v',
	12: '\\f',
	13: '\\r',
}

function escapeCode(code: number): string {
	const known = short[code]
	if (known !== undefined) return known
	if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
	return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0')

/** Letters, marks, numbers, punctuation, symbols and the ASCII space, as Go's `strconv.IsPrint`. */
export function isPrintable(char: string): boolean {
	return char === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)
}
