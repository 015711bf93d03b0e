import { DurationError, formatDuration, parseDuration } from './duration.ts'
import { markHost } from './equal.ts'
import { typeError, ValueError, valueError, wrapProblem } from './errors.ts'
import { numberText } from './number.ts'
import {
	ArrayValue,
	BytesValue,
	boolValue,
	CapsuleValue,
	describe,
	floatValue,
	intValue,
	type NumberValue,
	nullValue,
	ObjectValue,
	OptionalSecret,
	optionalSecretKind,
	optionalSecretValue,
	Secret,
	secretKind,
	secretValue,
	stringValue,
	type TypeName,
	uintValue,
	type Value,
} from './values.ts'

/**
 * What an attribute, an export or a function parameter takes. `decode` turns a value of the language into a plain one of
 * TypeScript (or throws a `ValueError`), `encode` goes back. null decodes to `zero`.
 */
export interface Type<T> {
	/** How the documentation names it: `list(string)`. */
	readonly text: string
	/** What values of the language it is. */
	readonly name: TypeName | 'any'
	readonly zero: T
	/** For the literal checks: element of a list, value of a map. */
	readonly element?: Type<unknown>
	/** Capsule types of which Alloy's check accepts any list or object literal. */
	readonly opaque?: boolean
	/** Of a host value: its kind. */
	readonly capsuleKind?: string
	/** Known values, for completion and documentation. */
	readonly choices?: readonly string[]
	decode(value: Value): T
	encode(data: T): Value
}

export type TypeOf<T> = T extends Type<infer V> ? V : never

/** Text as Alloy converts it: numbers are written out, bytes are read, a secret is refused. */
function decodeText(value: Value): string {
	switch (value.type) {
		case 'null':
			return ''
		case 'string':
			return value.text
		case 'number':
			return numberText(value)
		case 'capsule':
			if (value.data instanceof Secret) throw valueError(value, 'secrets may not be converted into strings')
			if (value.data instanceof OptionalSecret) {
				if (value.data.isSecret) throw valueError(value, 'secrets may not be converted into strings')
				return value.data.reveal()
			}
			throw typeError(value, 'string')
		default:
			if (value instanceof BytesValue) return value.text
			throw typeError(value, 'string')
	}
}

function decodeNumber(value: Value): NumberValue {
	switch (value.type) {
		case 'null':
			return intValue(0n)
		case 'number':
			return value
		case 'string': {
			const parsed = parseNumber(value.text)
			if (parsed === undefined) throw typeError(value, 'number')
			return parsed
		}
		case 'capsule':
			if (value.data instanceof OptionalSecret && !value.data.isSecret) {
				const parsed = parseNumber(value.data.reveal())
				if (parsed !== undefined) return parsed
			}
			if (value.data instanceof Secret || value.data instanceof OptionalSecret)
				throw typeError(value, 'number')
			throw typeError(value, 'number')
		default:
			throw typeError(value, 'number')
	}
}

/** With a leading minus an integer, with `.`, `e` or `E` a float, else unsigned. */
function parseNumber(text: string): NumberValue | undefined {
	if (text.startsWith('-')) {
		if (!/^-\d+$/.test(text)) return undefined
		const data = BigInt(text)
		return data < -(2n ** 63n) ? undefined : intValue(data)
	}
	if (/[.eE]/.test(text)) {
		if (!/^\+?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) return undefined
		const data = Number(text)
		return Number.isFinite(data) ? floatValue(data) : undefined
	}
	if (!/^\d+$/.test(text)) return undefined
	const data = BigInt(text)
	return data < 2n ** 64n ? uintValue(data) : undefined
}

export const string: Type<string> = {
	text: 'string',
	name: 'string',
	zero: '',
	decode: decodeText,
	encode: stringValue,
}

export const bool: Type<boolean> = {
	text: 'bool',
	name: 'bool',
	zero: false,
	decode(value) {
		if (value.type === 'null') return false
		if (value.type !== 'bool') throw typeError(value, 'bool')
		return value.data
	},
	encode: boolValue,
}

/** A signed integer; a fraction is cut off, as Go converts. Exact up to 2^53. */
export const int: Type<number> = {
	text: 'int',
	name: 'number',
	zero: 0,
	decode: (value) => Number(decodeNumber(value).int),
	encode: (data) => intValue(BigInt(Math.trunc(data))),
}

/** An unsigned integer; a negative one wraps around, as Go converts, so that a range check refuses it. */
export const uint: Type<number> = {
	text: 'uint',
	name: 'number',
	zero: 0,
	decode: (value) => Number(decodeNumber(value).uint),
	encode: (data) => uintValue(BigInt(Math.trunc(data))),
}

export const float: Type<number> = {
	text: 'number',
	name: 'number',
	zero: 0,
	decode: (value) => decodeNumber(value).float,
	encode: floatValue,
}

/** Milliseconds here, Go's notation in the file. */
export const duration: Type<number> = {
	text: 'duration',
	name: 'string',
	zero: 0,
	decode(value) {
		if (value.type === 'null') return 0
		const text = decodeText(value)
		try {
			return parseDuration(text)
		} catch (reason) {
			if (reason instanceof DurationError) throw valueError(value, reason.message)
			throw reason
		}
	},
	encode: (data) => stringValue(formatDuration(data)),
}

export const secret: Type<Secret> = {
	text: 'secret',
	name: 'capsule',
	zero: new Secret(''),
	decode(value) {
		if (value.type === 'null') return new Secret('')
		if (value.type === 'string') return new Secret(value.text)
		if (value instanceof BytesValue) throw typeError(value, 'capsule')
		if (value.type !== 'capsule') throw typeError(value, 'capsule')
		if (value.data instanceof Secret) return value.data
		if (value.data instanceof OptionalSecret) return new Secret(value.data.reveal())
		throw valueError(value, `expected capsule("${secretKind}"), got ${describe(value)}`)
	},
	encode: (data) => secretValue(data.reveal()),
}

export const optionalSecret: Type<OptionalSecret> = {
	text: 'optional(secret)',
	name: 'capsule',
	zero: new OptionalSecret('', false),
	decode(value) {
		if (value.type === 'null') return new OptionalSecret('', false)
		if (value.type === 'string') return new OptionalSecret(value.text, false)
		if (value.type !== 'capsule') throw typeError(value, 'capsule')
		if (value.data instanceof OptionalSecret) return value.data
		if (value.data instanceof Secret) return new OptionalSecret(value.data.reveal(), true)
		throw valueError(value, `expected capsule("${optionalSecretKind}"), got ${describe(value)}`)
	},
	encode: (data) => optionalSecretValue(data.reveal(), data.isSecret),
}

export function list<T>(element: Type<T>): Type<readonly T[]> {
	return {
		text: `list(${element.text})`,
		name: 'array',
		zero: [],
		element,
		decode(value) {
			if (value.type === 'null') return []
			if (value.type !== 'array') throw typeError(value, 'array')
			return value.items.map((item, index) => {
				try {
					return element.decode(item)
				} catch (reason) {
					return wrapProblem(reason, (inner) => ({ kind: 'element', value, index, inner }))
				}
			})
		},
		encode: (data) => new ArrayValue(data.map((item) => element.encode(item))),
	}
}

export function map<T>(element: Type<T>): Type<Readonly<Record<string, T>>> {
	return {
		text: `map(${element.text})`,
		name: 'object',
		zero: {},
		element,
		decode(value) {
			if (value.type === 'null') return {}
			if (value.type !== 'object') throw typeError(value, 'object')
			const out: Record<string, T> = Object.create(null) as Record<string, T>
			for (const [key, item] of value.fields) {
				try {
					out[key] = element.decode(item)
				} catch (reason) {
					wrapProblem(reason, (inner) => ({ kind: 'field', value, field: key, inner }))
				}
			}
			return out
		},
		encode: (data) =>
			new ObjectValue(new Map(Object.entries(data).map(([key, item]) => [key, element.encode(item)]))),
	}
}

/** A host value of one kind, passed through by identity; undefined when it is null. */
export function capsule<T>(kind: string): Type<T | undefined> {
	return {
		text: `capsule(${kind})`,
		capsuleKind: kind,
		name: 'capsule',
		zero: undefined,
		opaque: true,
		decode(value) {
			if (value.type === 'null') return undefined
			if (value.type !== 'capsule') throw typeError(value, 'capsule')
			if (value.kind !== kind) throw valueError(value, `expected capsule("${kind}"), got ${describe(value)}`)
			markHost(value.data)
			return value.data as T
		},
		encode: (data) => (data === undefined ? nullValue : new CapsuleValue(kind, data)),
	}
}

/** One of a few words. `refuse` gives Alloy's text for another one. */
export function enumOf<const T extends string>(
	choices: readonly T[],
	refuse: (text: string) => string = (text) => `unrecognized value "${text}"`,
): Type<T> {
	return {
		text: 'string',
		name: 'string',
		zero: choices[0]!,
		choices,
		decode(value) {
			const text = decodeText(value)
			const found = choices.find((choice) => choice === text)
			if (found === undefined) throw valueError(value, refuse(text))
			return found
		},
		encode: stringValue,
	}
}

/** Text that is read further: `parse` throws an Error with the message to show. */
export function parsed<T>(
	text: string,
	zero: T,
	parse: (source: string) => T,
	print: (data: T) => string,
): Type<T> {
	return {
		text,
		name: 'string',
		zero,
		decode(value) {
			if (value.type === 'null') return zero
			const source = decodeText(value)
			try {
				return parse(source)
			} catch (reason) {
				if (reason instanceof ValueError) throw reason
				throw valueError(value, reason instanceof Error ? reason.message : String(reason))
			}
		},
		encode: (data) => stringValue(print(data)),
	}
}

/** Null or absent is undefined: tells an explicit zero from nothing (Go's pointer fields). */
export function optional<T>(inner: Type<T>): Type<T | undefined> {
	return {
		...inner,
		zero: undefined,
		decode: (value) => (value.type === 'null' ? undefined : inner.decode(value)),
		encode: (data) => (data === undefined ? nullValue : inner.encode(data)),
	}
}

/** The value itself, unconverted. */
export const anyValue: Type<Value> = {
	text: 'any',
	name: 'any',
	zero: nullValue,
	decode: (value) => value,
	encode: (value) => value,
}
