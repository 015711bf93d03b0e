import type { Literal } from '../syntax/ast.ts'
import { bytesToText, textToBytes } from './text.ts'
import { boolValue, floatValue, intValue, nullValue, stringValue, uintValue, type Value } from './values.ts'

/** The value of a literal as it is written in the source. */
export function literalValue(literal: Literal): Value {
	switch (literal.type) {
		case 'null':
			return nullValue
		case 'bool':
			return boolValue(literal.raw === 'true')
		case 'number':
			return integerValue(literal.raw)
		case 'float':
			return floatValue(Number(literal.raw))
		case 'string':
			return stringValue(unquote(literal.raw))
	}
}

/** A leading zero means octal; what fits no 64-bit integer is a float. */
function integerValue(raw: string): Value {
	if (raw.length > 1 && raw[0] === '0') {
		if (!/^[0-7]+$/.test(raw)) return floatValue(Number(raw))
		return fitInteger(BigInt(`0o${raw}`), raw)
	}
	return fitInteger(BigInt(raw), raw)
}

function fitInteger(data: bigint, raw: string): Value {
	if (data < 2n ** 63n) return intValue(data)
	return data < 2n ** 64n ? uintValue(data) : floatValue(Number(raw))
}

const simple: Readonly<Record<string, string>> = {
	a: '\x07',
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
	v: '\v',
	'\\': '\\',
	"'": "'",
	'"': '"',
}

/** The text of a quoted or raw literal. `\x` and octal escapes are bytes and may together make a character. */
export function unquote(raw: string): string {
	const inner = raw.slice(1, -1)
	if (raw[0] === '`') return inner.replaceAll('\r', '')
	if (!inner.includes('\\')) return inner
	let bytes = ''
	let rest = 0
	for (const sequence of inner.matchAll(
		/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs,
	)) {
		bytes += textToBytes(inner.slice(rest, sequence.index))
		rest = sequence.index + sequence[0].length
		const [, hex, short, long, octal, letter] = sequence
		if (hex !== undefined) bytes += String.fromCharCode(Number.parseInt(hex, 16))
		else if (octal !== undefined) bytes += String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
		else if (letter !== undefined) bytes += simple[letter] ?? letter
		else bytes += Buffer.from(String.fromCodePoint(codePoint(short ?? long ?? '')), 'utf8').toString('latin1')
	}
	return bytesToText(bytes + textToBytes(inner.slice(rest)))
}

function codePoint(hex: string): number {
	const code = Number.parseInt(hex, 16)
	return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0xfffd : code
}
