import { bytesToText, textToBytes } from '../text.ts'
import { nullValue, type Value } from '../values.ts'
import { FunctionError } from './function.ts'
import { JsonError, JsonReader } from './json-decode.ts'

/** The document of `json_path`: whole numbers are integers, and errors say line and column. */
export function parseJsonForPath(text: string): Value {
	const bytes = textToBytes(text)
	if (/^[ \t\r\n]*$/.test(bytes)) return nullValue
	try {
		return new JsonReader(bytes, true).read()
	} catch (reason) {
		if (!(reason instanceof JsonError)) throw reason
		const before = bytes.slice(0, reason.at)
		const line = before.split('\n').length
		const column = reason.at - (before.lastIndexOf('\n') + 1) + 1
		const place = `${line}:${column}`
		if (reason.at >= bytes.length) {
			// After a number the library is already further on.
			const extra = /[0-9.]$/.test(bytes) ? lastOpen(bytes) : 0
			throw new FunctionError(`incomplete JSON at ${line}:${column + extra}`)
		}
		const number = placeOfNumber(bytes, reason)
		if (number !== undefined) throw new FunctionError(`${number} at ${place}`)
		const word = /in literal (\w+)/.exec(reason.message)?.[1]
		if (word !== undefined) throw new FunctionError(`expected ${word} at ${place}`)
		const char = String.fromCodePoint(bytesToText(bytes.slice(reason.at)).codePointAt(0)!)
		throw new FunctionError(`${wording(reason.message, char)} at ${place}`)
	}
}

/** The library's words for what the reader found in the way. */
function wording(message: string, char: string): string {
	if (message.includes('after array element'))
		return char === '}' ? 'unexpected object close' : `expected a comma or close, not '${char}'`
	if (message.includes('after object key:value pair'))
		return char === ']' ? 'unexpected array close' : `expected a comma or close, not '${char}'`
	if (message.includes('object key string')) return `expected a string start or object close, not '${char}'`
	if (message.includes('after object key')) return `expected a colon, not '${char}'`
	if (message.includes('after top-level value')) return `extra characters after close, '${char}'`
	if (message.includes('in string escape code')) return `invalid JSON escape character '\\${char}'`
	return `unexpected character '${char}'`
}

/** A number that goes on in a wrong way. */
function placeOfNumber(bytes: string, reason: JsonError): string | undefined {
	if (
		!/[-0-9.eE]/.test(bytes[reason.at - 1] ?? '') ||
		(bytes[reason.at - 1] !== '-' && /[\s,\]}]/.test(bytes[reason.at]!))
	)
		return undefined
	if (/after top-level|after array|after object key:value|numeric literal/.test(reason.message))
		return 'invalid number'
	return undefined
}

/** How far ahead the library is at the end of the input: two places in an object, one in an array. */
function lastOpen(bytes: string): number {
	let depth = 0
	for (let at = bytes.length - 1; at >= 0; at--) {
		const char = bytes[at]
		if (char === '}' || char === ']') depth++
		else if ((char === '{' || char === '[') && depth-- === 0) return char === '{' ? 2 : 1
	}
	return 0
}
