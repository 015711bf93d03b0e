import { bytesToText, quote, textToBytes } from '../text.ts'
import { anyValue, string } from '../types.ts'
import { BytesValue, stringValue, type Value } from '../values.ts'
import { FunctionError, typedFunction } from './function.ts'
import { decodeJson } from './json-decode.ts'
import { encodeJson } from './json-encode.ts'
import { decodeYaml } from './yaml-decode.ts'

export const fromJson = typedFunction('encoding.from_json', [string], decodeJson)

export const toJson = typedFunction('encoding.to_json', [anyValue], (value) => {
	if (value.type !== 'object') throw new FunctionError('jsonEncode only supports map')
	return stringValue(encodeJson(value))
})

export const fromYaml = typedFunction('encoding.from_yaml', [string], decodeYaml)

const standard = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export const fromBase64 = typedFunction('encoding.from_base64', [string], (text) =>
	decodeBase64(text, standard),
)
export const fromUrlBase64 = typedFunction('encoding.from_URLbase64', [string], (text) =>
	decodeBase64(text, url),
)

export const toBase64 = typedFunction('encoding.to_base64', [string], (text) =>
	stringValue(Buffer.from(textToBytes(text), 'latin1').toString('base64')),
)
export const toUrlBase64 = typedFunction('encoding.to_URLbase64', [string], (text) =>
	stringValue(
		Buffer.from(textToBytes(text), 'latin1').toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
	),
)

/** Padded base64; line ends are skipped, anything else wrong is named by its byte, as Go does. */
function decodeBase64(text: string, alphabet: string): Value {
	const bytes = textToBytes(text)
	const corrupt = (at: number): FunctionError => new FunctionError(`illegal base64 data at input byte ${at}`)
	let out = ''
	let at = 0
	const skip = (): void => {
		while (bytes[at] === '\n' || bytes[at] === '\r') at++
	}
	for (;;) {
		const quad: number[] = []
		let padded = false
		while (quad.length < 4) {
			skip()
			if (at >= bytes.length) {
				if (quad.length === 0) return new BytesValue(bytesToText(out), out)
				throw corrupt(at - quad.length)
			}
			const char = bytes[at]!
			const digit = alphabet.indexOf(char)
			if (digit >= 0) {
				quad.push(digit)
				at++
				continue
			}
			if (char !== '=' || quad.length < 2) throw corrupt(at)
			at++
			if (quad.length === 2) {
				skip()
				if (at >= bytes.length) throw corrupt(bytes.length)
				if (bytes[at] !== '=') throw corrupt(at)
				at++
			}
			skip()
			if (at < bytes.length) throw corrupt(at)
			padded = true
			break
		}
		const [a = 0, b = 0, c = 0, d = 0] = quad
		const word = (a << 18) | (b << 12) | (c << 6) | d
		out += String.fromCharCode(
			...[(word >> 16) & 0xff, (word >> 8) & 0xff, word & 0xff].slice(0, quad.length - 1),
		)
		if (padded) return new BytesValue(bytesToText(out), out)
	}
}

export const urlEncode = typedFunction('encoding.url_encode', [string], (text) =>
	stringValue(
		textToBytes(text).replace(/[^A-Za-z0-9\-_.~]/g, (char) =>
			char === ' ' ? '+' : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
		),
	),
)

export const urlDecode = typedFunction('encoding.url_decode', [string], (text) => {
	const bytes = textToBytes(text)
	const bad = /%(?![0-9a-fA-F]{2})/.exec(bytes)
	if (bad !== null)
		throw new FunctionError(`invalid URL escape ${quote(bytesToText(bytes.slice(bad.index, bad.index + 3)))}`)
	return stringValue(
		bytesToText(
			bytes
				.replaceAll('+', ' ')
				.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
		),
	)
})
