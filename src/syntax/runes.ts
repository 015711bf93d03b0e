/**
 * Characters as Go sees them: the language's texts, its identifiers and its quoting are defined through Go's unicode and
 * strconv packages. A rune is a code point; bytes that are not UTF-8 read as U+FFFD of width 1.
 */
const letter = /\p{L}/u
const digit = /\p{Nd}/u
const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

export const runeError = 0xfffd
export const byteOrderMark = 0xfeff

/** The rune that starts at byte `at` of a one-character-per-byte string, as `rune * 8 + width`; no allocation. */
export function runeAt(bytes: string, at: number): number {
	const first = bytes.charCodeAt(at)
	if (first < 0x80) return first * 8 + 1
	let size: number
	let rune: number
	let least: number
	if (first >= 0xc2 && first <= 0xdf) {
		size = 2
		rune = first & 0x1f
		least = 0x80
	} else if (first >= 0xe0 && first <= 0xef) {
		size = 3
		rune = first & 0x0f
		least = 0x800
	} else if (first >= 0xf0 && first <= 0xf4) {
		size = 4
		rune = first & 0x07
		least = 0x10000
	} else return runeError * 8 + 1
	for (let i = 1; i < size; i++) {
		const next = bytes.charCodeAt(at + i) // NaN past the end
		if (!(next >= 0x80 && next <= 0xbf)) return runeError * 8 + 1
		rune = rune * 64 + (next & 0x3f)
	}
	if (rune < least || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) return runeError * 8 + 1
	return rune * 8 + size
}

export function isLetter(rune: number): boolean {
	return letter.test(String.fromCodePoint(rune))
}

export function isDigit(rune: number): boolean {
	return digit.test(String.fromCodePoint(rune))
}

function isPrintable(text: string): boolean {
	return printable.test(text)
}

/** Go's `%#U`: `U+0040 '@'`, without the character when it cannot be printed. */
export function describeRune(rune: number): string {
	const hex = `U+${rune.toString(16).toUpperCase().padStart(4, '0')}`
	const text = String.fromCodePoint(rune)
	return isPrintable(text) ? `${hex} '${text}'` : hex
}

const shortEscapes: Readonly<Record<string, string>> = {
	'"': '\\"',
	'\\': '\\\\',
	'\x07': '\\a',
	'\b': '\\b',
	'\f': '\\f',
	'\n': '\\n',
	'\r': '\\r',
	'\t': '\\t',
	'\v': '\\v',
}

/** Go's `%q`: a double-quoted literal of the text. */
export function quote(text: string): string {
	if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`
	let out = '"'
	for (const char of text) {
		const rune = char.codePointAt(0)!
		const short = shortEscapes[char]
		if (short !== undefined) out += short
		else if (rune >= 0xd800 && rune <= 0xdfff) out += '\ufffd'
		else if (isPrintable(char)) out += char
		else if (rune < 0x20 || rune === 0x7f) out += `\\x${rune.toString(16).padStart(2, '0')}`
		else if (rune < 0x10000) out += `\\u${rune.toString(16).padStart(4, '0')}`
		else out += `\\U${rune.toString(16).padStart(8, '0')}`
	}
	return `${out}"`
}
