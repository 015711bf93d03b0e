/**
 * The values of the language. Each is an object whose identity matters: an error names the expression that made the very
 * value it is about, and a value that is passed on unchanged keeps pointing at where it came from. Where Go shares one
 * object for many equal values (booleans, integers below 256, the empty string, 0.0), so do we: which expression an error
 * names depends on it.
 */
export type Value =
	| NullValue
	| NumberValue
	| StringValue
	| BoolValue
	| ArrayValue
	| ObjectValue
	| FunctionValue
	| CapsuleValue

export type TypeName = 'null' | 'number' | 'string' | 'bool' | 'array' | 'object' | 'function' | 'capsule'

export class NullValue {
	readonly type = 'null'
}

/** 64-bit arithmetic as Go does it: `int` and `uint` hold a bigint within their range, `float` a number. */
export class NumberValue {
	readonly type = 'number'
	readonly kind: 'int' | 'uint' | 'float'
	readonly data: bigint | number

	constructor(kind: 'int' | 'uint' | 'float', data: bigint | number) {
		this.kind = kind
		this.data = data
	}

	get int(): bigint {
		return typeof this.data === 'number' ? floatToInt(this.data) : BigInt.asIntN(64, this.data)
	}

	get uint(): bigint {
		return BigInt.asUintN(64, typeof this.data === 'number' ? floatToUint(this.data) : this.data)
	}

	get float(): number {
		return Number(this.data)
	}
}

export class StringValue {
	readonly type = 'string'
	readonly text: string
	constructor(text: string) {
		this.text = text
	}
}

export class BoolValue {
	readonly type = 'bool'
	readonly data: boolean
	constructor(data: boolean) {
		this.data = data
	}
}

export class ArrayValue {
	readonly type = 'array'
	readonly items: readonly Value[]
	constructor(items: readonly Value[]) {
		this.items = items
	}
}

/** Bytes (what base64 decoding gives): an array of numbers that is taken as text where text is expected. */
export class BytesValue extends ArrayValue {
	readonly text: string
	constructor(text: string, bytes: string) {
		super(Array.from(bytes, (char) => uintValue(BigInt(char.charCodeAt(0)))))
		this.text = text
	}
}

export class ObjectValue {
	readonly type = 'object'
	readonly fields: ReadonlyMap<string, Value>
	/** Whether the order of the keys is the order of a definition; otherwise they are printed sorted. */
	readonly ordered: boolean
	constructor(fields: ReadonlyMap<string, Value>, ordered = false) {
		this.fields = fields
		this.ordered = ordered
	}
}

export class FunctionValue {
	readonly type = 'function'
	readonly name: string
	readonly call: (self: FunctionValue, args: readonly Value[]) => Value
	constructor(name: string, call: (self: FunctionValue, args: readonly Value[]) => Value) {
		this.name = name
		this.call = call
	}
}

/** A host value that is only passed on. `kind` is its name in messages: `otelcol.Consumer`. */
export class CapsuleValue {
	readonly type = 'capsule'
	readonly kind: string
	readonly data: unknown
	constructor(kind: string, data: unknown) {
		this.kind = kind
		this.data = data
	}
}

/**
 * A value that only running would tell, while a configuration is merely checked: what an export will hold. `claimed` is its
 * type where that is known.
 */
export class UnknownValue extends CapsuleValue {
	readonly claimed: TypeName | 'any'
	constructor(claimed: TypeName | 'any') {
		super('unknown', undefined)
		this.claimed = claimed
	}
}

/** Whether some part of a value is unknown. */
export function hasUnknown(value: Value): boolean {
	if (value instanceof UnknownValue) return true
	if (value.type === 'array') return value.items.some(hasUnknown)
	return value.type === 'object' && [...value.fields.values()].some(hasUnknown)
}

/** Text that must not be shown. Printing, JSON and inspection of it give `(secret)`. */
export class Secret {
	readonly #text: string
	constructor(text: string) {
		this.#text = text
	}
	reveal(): string {
		return this.#text
	}
	toString(): string {
		return '(secret)'
	}
	toJSON(): string {
		return '(secret)'
	}
	[Symbol.for('nodejs.util.inspect.custom')](): string {
		return '(secret)'
	}
}

/** A secret or plain text, and it is known which. */
export class OptionalSecret {
	readonly isSecret: boolean
	readonly #text: string
	constructor(text: string, isSecret: boolean) {
		this.#text = text
		this.isSecret = isSecret
	}
	reveal(): string {
		return this.#text
	}
	toString(): string {
		return this.isSecret ? '(secret)' : this.#text
	}
	toJSON(): string {
		return this.toString()
	}
	[Symbol.for('nodejs.util.inspect.custom')](): string {
		return this.toString()
	}
}

export const secretKind = 'alloytypes.Secret'
export const optionalSecretKind = 'alloytypes.OptionalSecret'

export const nullValue = new NullValue()
const trueValue = new BoolValue(true)
const falseValue = new BoolValue(false)
const emptyString = new StringValue('')
const zeroFloat = new NumberValue('float', 0)
const smallInts = Array.from({ length: 256 }, (_, i) => new NumberValue('int', BigInt(i)))
const hostInts = Array.from({ length: 256 }, (_, i) => new NumberValue('int', BigInt(i)))
const smallUints = Array.from({ length: 256 }, (_, i) => new NumberValue('uint', BigInt(i)))

export const boolValue = (data: boolean): BoolValue => (data ? trueValue : falseValue)

export const stringValue = (text: string): StringValue => (text === '' ? emptyString : new StringValue(text))

export const floatValue = (data: number): NumberValue =>
	Object.is(data, 0) ? zeroFloat : new NumberValue('float', data)

export function intValue(data: bigint): NumberValue {
	const wrapped = BigInt.asIntN(64, data)
	return wrapped >= 0n && wrapped < 256n ? smallInts[Number(wrapped)]! : new NumberValue('int', wrapped)
}

/** An integer that came from the host (Go's `int`, not its `int64`): equal to one that was written, but not the same. */
export function hostIntValue(data: bigint): NumberValue {
	return data >= 0n && data < 256n ? hostInts[Number(data)]! : new NumberValue('int', data)
}

export function uintValue(data: bigint): NumberValue {
	const wrapped = BigInt.asUintN(64, data)
	return wrapped < 256n ? smallUints[Number(wrapped)]! : new NumberValue('uint', wrapped)
}

export const secretValue = (text: string): CapsuleValue => new CapsuleValue(secretKind, new Secret(text))

export const optionalSecretValue = (text: string, isSecret: boolean): CapsuleValue =>
	new CapsuleValue(optionalSecretKind, new OptionalSecret(text, isSecret))

/** The name of a value's type as messages print it; a capsule with what it holds. */
export const describe = (value: Value): string =>
	value.type === 'capsule' ? `capsule("${value.kind}")` : value.type

/** Zero of its type: what `coalesce` skips. */
export function isZero(value: Value): boolean {
	switch (value.type) {
		case 'null':
			return true
		case 'number':
			return value.data === 0 || value.data === 0n
		case 'string':
			return value.text === ''
		case 'bool':
			return !value.data
		case 'array':
			return value.items.length === 0
		case 'object':
			return value.fields.size === 0
		case 'capsule':
			if (value.data instanceof Secret) return value.data.reveal() === ''
			if (value.data instanceof OptionalSecret) return !value.data.isSecret && value.data.reveal() === ''
			return false
		case 'function':
			return false
	}
}

const twoTo63 = 2 ** 63
const minInt64 = -(2n ** 63n)

function floatToInt(data: number): bigint {
	if (!(data >= -twoTo63 && data < twoTo63)) return minInt64
	return BigInt(Math.trunc(data))
}

function floatToUint(data: number): bigint {
	if (data < twoTo63) return floatToInt(data)
	if (data < 2 * twoTo63) return BigInt(Math.trunc(data))
	return minInt64
}
