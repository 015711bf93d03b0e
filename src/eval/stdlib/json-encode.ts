import { compareText } from '../text.ts'
import { OptionalSecret, Secret, type Value } from '../values.ts'
import { FunctionError } from './function.ts'

/** Go's `json.Marshal` of plain data: sorted keys, `<`, `>` and `&` escaped. A secret is refused. */
export function encodeJson(value: Value): string {
	switch (value.type) {
		case 'null':
			return 'null'
		case 'bool':
			return String(value.data)
		case 'number':
			return value.kind === 'float' ? encodeFloat(value.float) : value.data.toString()
		case 'string':
			return encodeText(value.text)
		case 'array':
			return `[${value.items.map(encodeJson).join(',')}]`
		case 'object': {
			const keys = [...value.fields.keys()].sort(compareText)
			return `{${keys.map((key) => `${encodeText(key)}:${encodeJson(value.fields.get(key)!)}`).join(',')}}`
		}
		case 'function':
			throw new FunctionError('json: unsupported type: func')
		case 'capsule':
			if (value.data instanceof OptionalSecret && !value.data.isSecret) return encodeText(value.data.reveal())
			if (value.data instanceof Secret || value.data instanceof OptionalSecret)
				throw new FunctionError('secrets may not be converted into strings')
			throw new FunctionError(`json: unsupported type: ${value.kind}`)
	}
}

function encodeFloat(data: number): string {
	if (!Number.isFinite(data))
		throw new FunctionError(`json: unsupported value: ${data > 0 ? '+Inf' : data < 0 ? '-Inf' : 'NaN'}`)
	if (Object.is(data, -0)) return '-0'
	const size = Math.abs(data)
	if (size !== 0 && (size < 1e-6 || size >= 1e21)) return data.toExponential()
	return String(data)
}

function encodeText(text: string): string {
	return JSON.stringify(text.replace(/[\uD800-\uDFFF]/gu, '\ufffd')).replace(
		/[<>&\u2028\u2029]/g,
		(char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
	)
}
