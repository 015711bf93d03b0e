/** The signs of a float, as `%e`, `%f`, `%g`, `%b` and `%x` of Go write it; widths and zeros are others' business. */
export interface FloatStyle {
	readonly plus: boolean
	readonly sharp: boolean
	readonly space: boolean
	readonly precision: number | undefined
}

/** undefined: no verb for floats. */
export function floatDigits(data: number, verb: string, style: FloatStyle): string | undefined {
	if (!'vgGeEfFbxX'.includes(verb)) return undefined
	if (!Number.isFinite(data)) return endless(data, style)
	const sign = data < 0 || Object.is(data, -0) ? '-' : style.plus ? '+' : style.space ? ' ' : ''
	const text = unsigned(Math.abs(data), verb === 'X' ? verb : verb.toLowerCase(), style)
	return sign + ('GEX'.includes(verb) ? text.toUpperCase() : text)
}

/** Infinity always has a sign, what is no number only where one was asked for. */
function endless(data: number, { plus, space }: FloatStyle): string {
	if (data < 0) return '-Inf'
	const sign = plus ? '+' : space ? ' ' : ''
	return Number.isNaN(data) ? `${sign}NaN` : `${sign === '' ? '+' : sign}Inf`
}

function unsigned(data: number, verb: string, { sharp, precision }: FloatStyle): string {
	switch (verb) {
		case 'b':
			return binary(data)
		case 'x':
			// `sharp` asks for five digits in all where nothing else was said; of `X` it does not.
			return hexadecimal(data, precision, sharp, 4)
		case 'X':
			return hexadecimal(data, precision, sharp, 0)
		case 'e':
			return scientific(rounded(exact(data), (precision ?? 6) + 1), precision ?? 6, sharp)
		case 'f': {
			const decimal = exact(data)
			return fixed(rounded(decimal, decimal.point + (precision ?? 6)), precision ?? 6, sharp)
		}
		default:
			return general(data, precision, sharp)
	}
}

/** 0.DIGITS × 10^point, without zeros at the end. */
interface Decimal {
	readonly digits: string
	readonly point: number
}

const decimal = (digits: string, point: number): Decimal => ({ digits: digits.replace(/0+$/, ''), point })

/** mantissa × 2^power, bit by bit what the number is. */
function parts(data: number): { readonly mantissa: bigint; readonly power: number } {
	const view = new DataView(new ArrayBuffer(8))
	view.setFloat64(0, data)
	const bits = view.getBigUint64(0)
	const exponent = Number((bits >> 52n) & 0x7ffn)
	const fraction = bits & ((1n << 52n) - 1n)
	return exponent === 0
		? { mantissa: fraction, power: -1074 }
		: { mantissa: fraction | (1n << 52n), power: exponent - 1075 }
}

function exact(data: number): Decimal {
	const { mantissa, power } = parts(data)
	if (mantissa === 0n) return { digits: '', point: 0 }
	// A half is five tenths: with as many fives as halves all becomes whole.
	const whole = power < 0 ? mantissa * 5n ** BigInt(-power) : mantissa << BigInt(power)
	const digits = whole.toString()
	return decimal(digits, digits.length + Math.min(power, 0))
}

/** The least digits that only this number is nearest to. */
function shortest(data: number): Decimal {
	if (data === 0) return { digits: '', point: 0 }
	const [digits = '', power = ''] = data.toExponential().split('e')
	return decimal(digits.replace('.', ''), Number(power) + 1)
}

/** To so many digits; halves go to the even side, where JavaScript's own would go up. */
function rounded({ digits, point }: Decimal, count: number): Decimal {
	if (count >= digits.length) return { digits, point }
	if (count < 0) return { digits: '', point: 0 }
	const head = digits.slice(0, count)
	const tail = digits.slice(count)
	const isOdd = '13579'.includes(head.at(-1) ?? '0')
	if (tail < '5' || (tail === '5' && !isOdd)) return decimal(head, point)
	const next = (BigInt(`0${head}`) + 1n).toString().padStart(count, '0')
	return decimal(next, point + next.length - count)
}

/** A point, and so many digits behind it; the point alone only when `sharp`. */
const fraction = (digits: string, count: number, sharp: boolean): string =>
	count > 0 ? `.${digits.padEnd(count, '0')}` : sharp ? '.' : ''

function scientific({ digits, point }: Decimal, count: number, sharp: boolean): string {
	const power = digits === '' ? 0 : point - 1
	const size = String(Math.abs(power)).padStart(2, '0')
	return `${digits[0] ?? '0'}${fraction(digits.slice(1), count, sharp)}e${power < 0 ? '-' : '+'}${size}`
}

function fixed({ digits, point }: Decimal, count: number, sharp: boolean): string {
	const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
	const rest = point > 0 ? digits.slice(point) : digits === '' ? '' : '0'.repeat(-point) + digits
	return whole + fraction(rest, count, sharp)
}

/** Scientific where the number is far from its point, else fixed; no zeros at the end unless `sharp`. */
function general(data: number, precision: number | undefined, sharp: boolean): string {
	const wanted = Math.max(precision ?? 6, 1)
	const value = precision === undefined ? shortest(data) : rounded(exact(data), wanted)
	const length = value.digits.length
	const power = length === 0 ? 0 : value.point - 1
	const shown = sharp ? Math.max(wanted, length) : length
	if (power < -4 || power >= wanted) return scientific(value, shown - 1, sharp)
	return fixed(value, Math.max(shown - power - 1, 0), sharp)
}

function binary(data: number): string {
	const { mantissa, power } = parts(data)
	return `${mantissa}p${power < 0 ? '-' : '+'}${Math.abs(power)}`
}

/** `0x1.8p+01`: one digit, then the bits of the fraction by fours. */
function hexadecimal(data: number, precision: number | undefined, sharp: boolean, least: number): string {
	const { mantissa, power } = parts(data)
	const bits = mantissa === 0n ? 0 : mantissa.toString(2).length
	// Thirteen digits behind the point hold every fraction.
	let value = mantissa << BigInt(mantissa === 0n ? 0 : 53 - bits)
	let exponent = mantissa === 0n ? 0 : power + bits - 1
	let digits = 13
	if (precision !== undefined && precision < digits) {
		const dropped = BigInt(4 * (digits - precision))
		const half = 1n << (dropped - 1n)
		const rest = value & ((1n << dropped) - 1n)
		value >>= dropped
		if (rest > half || (rest === half && (value & 1n) === 1n)) value++
		digits = precision
		if (value >> BigInt(4 * digits) === 2n) {
			value >>= 1n
			exponent++
		}
	}
	const text = value.toString(16).padStart(digits + 1, '0')
	const behind = text.slice(1)
	const shown = precision === undefined ? behind.replace(/0+$/, '') : behind
	const count = precision ?? (sharp ? Math.max(shown.length, least) : shown.length)
	const size = String(Math.abs(exponent)).padStart(2, '0')
	return `0x${text[0]}${fraction(shown, count, sharp)}p${exponent < 0 ? '-' : '+'}${size}`
}
