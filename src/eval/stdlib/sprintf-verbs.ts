import type { Native } from '../native.ts'
import { floatText } from '../number.ts'
import { compareText, isPrintable, quote, textToBytes } from '../text.ts'
import { CapsuleValue, FunctionValue, OptionalSecret, Secret } from '../values.ts'
import { FunctionError } from './function.ts'

/** What stands between "%" and the verb. */
export interface Flags {
	plus: boolean
	minus: boolean
	sharp: boolean
	space: boolean
	zero: boolean
	width: number | undefined
	precision: number | undefined
}

export function goType(arg: Native): string {
	if (arg === null) return '<nil>'
	switch (typeof arg) {
		case 'string':
			return 'string'
		case 'boolean':
			return 'bool'
		case 'bigint':
			return arg >= 2n ** 63n ? 'uint64' : 'int'
		case 'number':
			return 'int'
		default:
			if (arg instanceof Float) return 'float64'
			if (Array.isArray(arg)) return '[]interface {}'
			if (arg instanceof FunctionValue) return 'func'
			if (arg instanceof CapsuleValue) return arg.kind
			return 'map[string]interface {}'
	}
}

/** A number that is a float in the language even when it is whole; made by `formatArguments`. */
export class Float {
	readonly data: number
	constructor(data: number) {
		this.data = data
	}
}

function pad(text: string, flags: Flags, zeros = false): string {
	const width = flags.width
	if (width === undefined) return text
	const missing = width - [...text].length
	if (missing <= 0) return text
	if (flags.minus) return text + ' '.repeat(missing)
	if (!zeros || !flags.zero) return ' '.repeat(missing) + text
	const sign = /^[-+ ]/.test(text) ? text[0]! : ''
	return sign + '0'.repeat(missing) + text.slice(sign.length)
}

export function formatArgument(arg: Native | Float, verb: string, flags: Flags): string {
	if (arg instanceof Secret || (arg instanceof OptionalSecret && arg.isSecret))
		throw new FunctionError('secrets may not be converted into strings')
	if (arg instanceof OptionalSecret) return formatArgument(arg.reveal(), verb, flags)
	if (verb === 'T') return pad(goType(arg as Native), flags)
	if (arg === null) return verb === 'v' ? pad('<nil>', flags) : `%!${verb}(<nil>)`
	if (verb === 'p' && !(arg instanceof FunctionValue)) return bad(arg, verb, flags)
	if (arg instanceof Float) return formatFloat(arg, verb, flags)
	switch (typeof arg) {
		case 'boolean':
			return verb === 't' || verb === 'v' ? pad(String(arg), flags) : bad(arg, verb, flags)
		case 'number':
		case 'bigint':
			return formatInteger(BigInt(arg), verb, flags, arg)
		case 'string':
			return formatText(arg, verb, flags)
		default:
			return formatComposite(arg, verb, flags)
	}
}

const bad = (arg: Native | Float, verb: string, flags: Flags): string =>
	`%!${verb}(${goType(arg as Native)}=${formatArgument(arg, 'v', flags)})`

function formatComposite(arg: object, verb: string, flags: Flags): string {
	if (arg instanceof FunctionValue || arg instanceof CapsuleValue) return pad('(function)', flags)
	if (Array.isArray(arg)) {
		const items = (arg as readonly Native[]).map((item) => element(item, verb, flags))
		if (verb === 'v' && flags.sharp) return `[]interface {}{${items.join(', ')}}`
		return `[${items.join(' ')}]`
	}
	const fields = arg as Readonly<Record<string, Native>>
	const keys = Object.keys(fields).sort(compareText)
	if (verb === 'v' && flags.sharp)
		return `map[string]interface {}{${keys.map((key) => `${quote(key)}:${element(fields[key]!, verb, flags)}`).join(', ')}}`
	return `map[${keys.map((key) => `${formatArgument(key, verb, flags)}:${element(fields[key]!, verb, flags)}`).join(' ')}]`
}

function element(item: Native, verb: string, flags: Flags): string {
	if (item === null && verb === 'v' && flags.sharp) return 'interface {}(nil)'
	return item === null && verb === 'v' ? pad('<nil>', flags) : formatArgument(item, verb, flags)
}

function formatInteger(data: bigint, verb: string, flags: Flags, arg: Native): string {
	switch (verb) {
		case 'v':
		case 'd':
			if (verb === 'v' && flags.sharp && typeof arg === 'bigint' && data >= 2n ** 63n)
				return pad(`0x${data.toString(16)}`, flags)
			return digits(data, 10, '', flags)
		case 'b':
			return digits(data, 2, flags.sharp ? '0b' : '', flags)
		case 'o':
			return digits(data, 8, flags.sharp ? '0' : '', flags)
		case 'O':
			return digits(data, 8, '0o', flags)
		case 'x':
			return digits(data, 16, flags.sharp ? '0x' : '', flags)
		case 'X':
			return digits(data, 16, flags.sharp ? '0X' : '', flags).toUpperCase()
		case 'c':
			return pad(rune(data), flags)
		case 'q':
			return pad(quoteRune(rune(data)), flags)
		case 'U': {
			const code = data < 0n || data > 0x10ffffn ? data : data
			const text = `U+${BigInt.asUintN(64, code)
				.toString(16)
				.toUpperCase()
				.padStart(Math.max(4, flags.precision ?? 4), '0')}`
			return pad(flags.sharp && isPrintable(rune(data)) ? `${text} '${rune(data)}'` : text, flags)
		}
		default:
			return bad(arg, verb, flags)
	}
}

const rune = (data: bigint): string =>
	data < 0n || data > 0x10ffffn || (data >= 0xd800n && data <= 0xdfffn)
		? '\ufffd'
		: String.fromCodePoint(Number(data))

function quoteRune(char: string): string {
	if (char === "'") return "'\\''"
	if (char === '"') return `'"'`
	return `'${quote(char).slice(1, -1)}'`
}

function digits(data: bigint, base: number, prefix: string, flags: Flags): string {
	const negative = data < 0n
	let text = (negative ? -data : data).toString(base)
	const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
	if (flags.precision !== undefined) {
		if (flags.precision === 0 && data === 0n) return pad('', { ...flags, zero: false })
		text = text.padStart(flags.precision, '0')
	} else if (flags.zero && !flags.minus && flags.width !== undefined) {
		text = text.padStart(flags.width - sign.length, '0')
	}
	if (prefix === '0' && text[0] === '0') prefix = ''
	return pad(sign + prefix + text, flags)
}

function formatFloat(arg: Float, verb: string, flags: Flags): string {
	const data = arg.data
	const signed = (text: string): string => {
		const full = text.startsWith('-') || text.startsWith('+') ? text : `+${text}`
		if (full[0] === '-' || flags.plus) return full
		return flags.space ? ` ${full.slice(1)}` : full.slice(1)
	}
	const finish = (text: string): string => pad(signed(text), flags, Number.isFinite(data))
	if (!Number.isFinite(data) && 'vgGeEfF'.includes(verb))
		return finish(Number.isNaN(data) ? 'NaN' : data > 0 ? '+Inf' : '-Inf')
	switch (verb) {
		case 'v':
		case 'g':
		case 'G': {
			const text = shortest(data, flags.precision)
			return finish(verb === 'G' ? text.toUpperCase() : text)
		}
		case 'e':
		case 'E': {
			const text = exponent(data.toExponential(Math.min(flags.precision ?? 6, 100)))
			return finish(verb === 'E' ? text.toUpperCase() : text)
		}
		case 'b':
			return finish(binary(data))
		case 'f':
		case 'F':
			return finish(fixed(data, flags.precision ?? 6))
		default:
			return bad(arg, verb, flags)
	}
}

/** The mantissa as an integer and the power of two it is scaled by. */
function binary(data: number): string {
	const view = new DataView(new ArrayBuffer(8))
	view.setFloat64(0, data)
	const bits = view.getBigUint64(0)
	const power = Number((bits >> 52n) & 0x7ffn)
	const fraction = bits & ((1n << 52n) - 1n)
	const mantissa = power === 0 ? fraction : fraction | (1n << 52n)
	const scale = (power === 0 ? 1 : power) - 1075
	return `${bits >> 63n === 1n ? '-' : ''}${mantissa}p${scale < 0 ? '-' : '+'}${Math.abs(scale)}`
}

/** JavaScript's toFixed stops at 1e21 and 100 digits. */
function fixed(data: number, precision: number): string {
	if (Math.abs(data) < 1e21) {
		const text = data.toFixed(Math.min(precision, 100))
		const full = precision > 100 ? text + '0'.repeat(precision - 100) : text
		return Object.is(data, -0) || (data < 0 && !full.startsWith('-')) ? `-${full.replace(/^-/, '')}` : full
	}
	return (
		floatText(BigInt(data) === 0n ? 0 : data) &&
		BigInt(data).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '')
	)
}

/** Two digits of exponent at least, as Go writes it. */
const exponent = (text: string): string => text.replace(/e([-+])(\d)$/, 'e$10$2')

/** %g: exponent form below 1e-4 and from 1e6 (or from the precision). */
function shortest(data: number, precision: number | undefined): string {
	const scientific =
		precision === undefined
			? data.toExponential()
			: data.toExponential(Math.min(Math.max(precision, 1) - 1, 100))
	const power = Number(scientific.slice(scientific.indexOf('e') + 1))
	const limit = precision === undefined ? 6 : Math.max(precision, 1)
	const negativeZero = Object.is(data, -0) ? '-' : ''
	if (power < -4 || power >= limit) {
		const [mantissa = '', rest = ''] = scientific.split('e')
		return exponent(`${precision === undefined ? mantissa : mantissa.replace(/\.?0+$/, '')}e${rest}`)
	}
	if (precision === undefined) return negativeZero + floatText(Math.abs(data) === 0 ? 0 : data)
	const text = Number(scientific).toFixed(Math.max(0, Math.min(100, limit - 1 - power)))
	return negativeZero + (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
}

function formatText(text: string, verb: string, flags: Flags): string {
	const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('')
	switch (verb) {
		case 'v':
			return pad(flags.sharp ? quote(text) : cut, flags, true)
		case 's':
			return pad(cut, flags, true)
		case 'q':
			if (flags.sharp && !/[`\0-\x08\x0a-\x1f\x7f\ufeff]/.test(cut)) return pad(`\`${cut}\``, flags, true)
			return pad(flags.plus ? asciiQuote(cut) : quote(cut), flags, true)
		case 'x':
		case 'X': {
			let bytes = textToBytes(text)
			if (flags.precision !== undefined) bytes = bytes.slice(0, flags.precision)
			const pairs = [...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0'))
			const mark = flags.sharp ? '0x' : ''
			const out = flags.space
				? pairs.map((pair) => mark + pair).join(' ')
				: pairs.length > 0
					? mark + pairs.join('')
					: ''
			return pad(verb === 'X' ? out.toUpperCase() : out, flags, true)
		}
		default:
			return bad(text, verb, flags)
	}
}

function asciiQuote(text: string): string {
	return quote(text).replace(/[^\0-\x7f]/gu, (char) => {
		const code = char.codePointAt(0)!
		return code < 0x10000
			? `\\u${code.toString(16).padStart(4, '0')}`
			: `\\U${code.toString(16).padStart(8, '0')}`
	})
}
