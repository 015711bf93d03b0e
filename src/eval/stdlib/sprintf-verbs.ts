import type { Native } from '../native.ts'
import { compareText, isPrintable, quote, textToBytes } from '../text.ts'
import { CapsuleValue, FunctionValue, OptionalSecret, Secret } from '../values.ts'
import { FunctionError } from './function.ts'
import { floatDigits } from './sprintf-float.ts'

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

/** A number that is a float in the language even when it is whole. */
export class Float {
	readonly data: number
	constructor(data: number) {
		this.data = data
	}
}

/** To the width that was asked for; `0` pads with zeros whatever it is, behind the `sign` if there is one. */
function pad(text: string, flags: Flags, sign = ''): string {
	const width = flags.width
	if (width === undefined) return text
	const missing = width - [...text].length
	if (missing <= 0) return text
	if (flags.minus) return text + ' '.repeat(missing)
	if (!flags.zero) return ' '.repeat(missing) + text
	return sign + '0'.repeat(missing) + text.slice(sign.length)
}

/** With blanks only. */
const padBlank = (text: string, flags: Flags): string => pad(text, { ...flags, zero: false })

export function formatArgument(arg: Native | Float, verb: string, flags: Flags): string {
	if (arg instanceof Secret || (arg instanceof OptionalSecret && arg.isSecret))
		throw new FunctionError('secrets may not be converted into strings')
	if (arg instanceof OptionalSecret) return formatArgument(arg.reveal(), verb, flags)
	if (arg === null) return verb === 'v' || verb === 'T' ? pad('<nil>', flags) : `%!${verb}(<nil>)`
	if (verb === 'T') return formatText(goType(arg as Native), 's', flags)
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

/** A verb that the argument does not have. */
function bad(arg: Native | Float, verb: string, flags: Flags): string {
	// As `v`, but `#` does not ask for Go's syntax here.
	const own = typeof arg === 'string' ? 's' : arg instanceof Float ? 'g' : isInteger(arg) ? 'd' : 'v'
	return `%!${verb}(${goType(arg as Native)}=${formatArgument(arg, own, flags)})`
}

const isInteger = (arg: Native | Float): boolean => typeof arg === 'number' || typeof arg === 'bigint'

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
	if (item !== null) return formatArgument(item, verb, flags)
	return verb === 'v' && flags.sharp ? 'interface {}(nil)' : '<nil>'
}

function formatInteger(data: bigint, verb: string, flags: Flags, arg: Native): string {
	switch (verb) {
		case 'v':
		case 'd':
			if (verb === 'v' && flags.sharp && typeof arg === 'bigint' && data >= 2n ** 63n)
				return padBlank(`0x${data.toString(16)}`, flags)
			return digits(data, 10, '', flags)
		case 'b':
			return digits(data, 2, flags.sharp ? '0b' : '', flags)
		case 'o':
			return digits(data, 8, flags.sharp ? '0' : '', flags)
		case 'O':
			return digits(data, 8, flags.sharp ? '0o0' : '0o', flags)
		case 'x':
			return digits(data, 16, flags.sharp ? '0x' : '', flags)
		case 'X':
			return digits(data, 16, flags.sharp ? '0X' : '', flags).toUpperCase()
		case 'c':
			return pad(rune(data), flags)
		case 'q':
			return pad(quoteRune(rune(data), flags.plus), flags)
		case 'U': {
			const text = `U+${BigInt.asUintN(64, data)
				.toString(16)
				.toUpperCase()
				.padStart(Math.max(4, flags.precision ?? 4), '0')}`
			const shown = flags.sharp && BigInt(rune(data).codePointAt(0)!) === data && isPrintable(rune(data))
			return padBlank(shown ? `${text} '${rune(data)}'` : text, flags)
		}
		default:
			return bad(arg, verb, flags)
	}
}

const rune = (data: bigint): string =>
	data < 0n || data > 0x10ffffn || (data >= 0xd800n && data <= 0xdfffn)
		? '\ufffd'
		: String.fromCodePoint(Number(data))

function quoteRune(char: string, ascii: boolean): string {
	if (char === "'") return "'\\''"
	if (char === '"') return `'"'`
	return `'${(ascii ? asciiQuote(char) : quote(char)).slice(1, -1)}'`
}

function digits(data: bigint, base: number, prefix: string, flags: Flags): string {
	const negative = data < 0n
	let text = (negative ? -data : data).toString(base)
	const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
	if (flags.precision !== undefined) {
		if (flags.precision === 0 && data === 0n) return padBlank('', flags)
		text = text.padStart(flags.precision, '0')
	} else if (flags.zero && !flags.minus && flags.width !== undefined) {
		text = text.padStart(flags.width - sign.length, '0')
	}
	if (prefix === '0' && text[0] === '0') prefix = ''
	return padBlank(sign + prefix + text, flags)
}

function formatFloat(arg: Float, verb: string, flags: Flags): string {
	const text = floatDigits(arg.data, verb, { ...flags, sharp: flags.sharp && verb !== 'v' })
	if (text === undefined) return bad(arg, verb, flags)
	if (!Number.isFinite(arg.data)) return padBlank(text, flags)
	return pad(text, flags, /^[-+ ]/.exec(text)?.[0])
}

function formatText(text: string, verb: string, flags: Flags): string {
	const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('')
	switch (verb) {
		case 'v':
			return pad(flags.sharp ? quote(cut) : cut, flags)
		case 's':
			return pad(cut, flags)
		case 'q':
			if (flags.sharp && !/[`\0-\x08\x0a-\x1f\x7f\ufeff]/.test(cut)) return pad(`\`${cut}\``, flags)
			return pad(flags.plus ? asciiQuote(cut) : quote(cut), flags)
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
			return pad(verb === 'X' ? out.toUpperCase() : out, flags)
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
