import type { Type } from './types.ts'
import {
	ArrayValue,
	boolValue,
	CapsuleValue,
	FunctionValue,
	floatValue,
	hostIntValue,
	NumberValue,
	nullValue,
	ObjectValue,
	OptionalSecret,
	optionalSecretKind,
	Secret,
	secretKind,
	stringValue,
	uintValue,
	type Value,
} from './values.ts'

/** Plain data of any shape, as `any` attributes receive it. Secrets stay wrapped; capsules and functions pass through. */
export type Native =
	| null
	| boolean
	| string
	| number
	| bigint
	| readonly Native[]
	| { readonly [key: string]: Native }
	| Secret
	| OptionalSecret
	| FunctionValue
	| CapsuleValue

/** Integers beyond 2^53 become bigint, so that nothing is rounded. */
export function toNative(value: Value): Native {
	switch (value.type) {
		case 'null':
			return null
		case 'number':
			if (value.kind === 'float') return value.float
			return Number.isSafeInteger(Number(value.data)) ? Number(value.data) : (value.data as bigint)
		case 'string':
			return value.text
		case 'bool':
			return value.data
		case 'array':
			return value.items.map(toNative)
		case 'object': {
			const out: Record<string, Native> = Object.create(null) as Record<string, Native>
			for (const [key, item] of value.fields) out[key] = toNative(item)
			return out
		}
		case 'function':
			return value
		case 'capsule':
			return value.data instanceof Secret || value.data instanceof OptionalSecret ? value.data : value
	}
}

export function fromNative(data: unknown): Value {
	if (data === null || data === undefined) return nullValue
	if (typeof data === 'boolean') return boolValue(data)
	if (typeof data === 'string') return stringValue(data)
	if (typeof data === 'number')
		return Number.isSafeInteger(data) ? hostIntValue(BigInt(data)) : floatValue(data)
	if (typeof data === 'bigint') return data < 2n ** 63n ? hostIntValue(data) : uintValue(data)
	if (Array.isArray(data)) return new ArrayValue(data.map(fromNative))
	if (data instanceof FunctionValue || data instanceof CapsuleValue || data instanceof NumberValue)
		return data
	if (data instanceof Secret) return new CapsuleValue(secretKind, data)
	if (data instanceof OptionalSecret) return new CapsuleValue(optionalSecretKind, data)
	return new ObjectValue(new Map(Object.entries(data).map(([key, item]) => [key, fromNative(item)])))
}

/** Any value, as plain data. */
export const any: Type<Native> = {
	text: 'any',
	name: 'any',
	zero: null,
	decode: toNative,
	encode: fromNative,
}
