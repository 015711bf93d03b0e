import { describeRune, runeAt } from './runes.ts'

/** Escapes that are one sign: `\n`. */
const signs = 'abfnrtv\\"'

/** Escapes that are a number: how many digits of which base follow the sign, and the largest value. */
interface Numeric {
	readonly digits: number
	readonly base: number
	readonly most: number
}
const byHexSign: Readonly<Record<string, Numeric>> = {
	x: { digits: 2, base: 16, most: 0xff },
	u: { digits: 4, base: 16, most: 0x10ffff },
	U: { digits: 8, base: 16, most: 0x10ffff },
}
const octal: Numeric = { digits: 3, base: 8, most: 0xff }

/**
 * Reads what follows a backslash, from `start`; returns where the string goes on. What is wrong is told to `fail`, with the
 * place that was reached; a wrong character is left unread.
 */
export function readEscape(
	bytes: string,
	start: number,
	fail: (reached: number, message: string) => void,
): number {
	const sign = bytes.charAt(start)
	if (sign !== '' && signs.includes(sign)) return start + 1
	const hex = byHexSign[sign]
	if (hex === undefined && !(sign >= '0' && sign <= '7')) {
		fail(start, sign === '' ? 'escape sequence not terminated' : 'unknown escape sequence')
		return start
	}
	const { digits, base, most } = hex ?? octal
	const from = hex === undefined ? start : start + 1
	const end = from + digits
	let value = 0
	for (let at = from; at < end; at++) {
		// NaN for what is no digit of the base, and past the end.
		const digit = Number.parseInt(bytes.charAt(at), base)
		if (!(digit < base)) {
			fail(
				at,
				at < bytes.length
					? `illegal character ${describeRune(runeAt(bytes, at) >>> 3)} in escape sequence`
					: 'escape sequence not terminated',
			)
			return at
		}
		value = value * base + digit
	}
	const surrogate = value >>> 11 === 0xd800 >>> 11
	if (value > most || surrogate) fail(end, 'escape sequence is invalid Unicode code point')
	return end
}
