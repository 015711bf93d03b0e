import { posix } from 'node:path'
import { maxTextLength } from '../operators.ts'
import { list, string } from '../types.ts'
import { ArrayValue, type FunctionValue, stringValue } from '../values.ts'
import { FunctionError, typedFunction, variadicFunction } from './function.ts'

const bounded = (text: string): ReturnType<typeof stringValue> => stringValue(text)

function checkLength(length: number): void {
	if (length > maxTextLength) throw new FunctionError(`result is longer than ${maxTextLength} characters`)
}

export const join = typedFunction('string.join', [list(string), string], (parts, separator) => {
	let length = separator.length * Math.max(0, parts.length - 1)
	for (const part of parts) length += part.length
	checkLength(length)
	return bounded(parts.join(separator))
})

export const replace = typedFunction('string.replace', [string, string, string], (text, from, to) => {
	const parts = from === '' ? ['', ...text, ''] : text.split(from)
	checkLength(text.length + parts.length * to.length)
	return bounded(parts.join(to))
})

export const split = typedFunction(
	'string.split',
	[string, string],
	(text, separator) =>
		new ArrayValue((separator === '' ? [...text] : text.split(separator)).map(stringValue)),
)

export const toLower = typedFunction('string.to_lower', [string], (text) =>
	stringValue(mapRunes(text, lower)),
)
export const toUpper = typedFunction('string.to_upper', [string], (text) =>
	stringValue(mapRunes(text, upper)),
)

/** Go maps one character to one character; JavaScript's special cases (ß → SS) do not apply. */
function mapRunes(text: string, map: (char: string) => string): string {
	let out = ''
	// A byte that is no UTF-8 becomes U+FFFD, as in Go.
	for (const char of text) out += /[\uDC80-\uDCFF]/.test(char) && char.length === 1 ? '\ufffd' : map(char)
	return out
}

function lower(char: string): string {
	if (char === 'İ') return 'i'
	const mapped = char.toLowerCase()
	return [...mapped].length === 1 ? mapped : char
}

function upper(char: string): string {
	const mapped = char.toUpperCase()
	return [...mapped].length === 1 ? mapped : char
}

export const trim = typedFunction('string.trim', [string, string], (text, cutset) => {
	const cut = new Set(cutset)
	const chars = [...text]
	let from = 0
	let to = chars.length
	while (from < to && cut.has(chars[from]!)) from++
	while (to > from && cut.has(chars[to - 1]!)) to--
	return stringValue(chars.slice(from, to).join(''))
})

export const trimPrefix = typedFunction('string.trim_prefix', [string, string], (text, prefix) =>
	stringValue(text.startsWith(prefix) ? text.slice(prefix.length) : text),
)

export const trimSuffix = typedFunction('string.trim_suffix', [string, string], (text, suffix) =>
	stringValue(text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text),
)

/** White space as Unicode and Go see it: U+FEFF is none, U+0085 is. */
const outerSpace =
	/^[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g

export const trimSpace = typedFunction('string.trim_space', [string], (text) =>
	stringValue(text.replace(outerSpace, '')),
)

export const pathJoin: FunctionValue = variadicFunction('file.path_join', [], string, (parts) => {
	const used = parts.filter((part) => part !== '')
	if (used.length === 0) return stringValue('')
	const joined = posix.join(...used)
	return stringValue(joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined)
})
