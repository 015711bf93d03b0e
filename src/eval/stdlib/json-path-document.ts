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
		if (reason.at >= bytes.length) throw new FunctionError(`incomplete JSON at ${place}`)
		const word = /in literal (\w+)/.exec(reason.message)?.[1]
		if (word !== undefined) throw new FunctionError(`expected ${word} at ${place}`)
		const rest = bytesToText(bytes.slice(reason.at))
		throw new FunctionError(
			`unexpected character '${String.fromCodePoint(rest.codePointAt(0)!)}' at ${place}`,
		)
	}
}
