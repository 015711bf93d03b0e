import {
	ArrayValue,
	BoolValue,
	CapsuleValue,
	FunctionValue,
	NullValue,
	NumberValue,
	ObjectValue,
	OptionalSecret,
	Secret,
	StringValue,
} from './values.ts'

/** Objects that came out of capsules: they are compared by identity, whatever they look like. */
const hostObjects = new WeakSet<object>()

export function markHost(data: unknown): void {
	if (typeof data === 'object' && data !== null) hostObjects.add(data)
}

/** Whether two decoded arguments or exports are the same: plain data deeply, everything from the host by identity. */
export function deepEqual(a: unknown, b: unknown): boolean {
	if (Object.is(a, b)) return true
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
	if (hostObjects.has(a) || hostObjects.has(b)) return false
	if (a instanceof Secret) return b instanceof Secret && a.reveal() === b.reveal()
	if (a instanceof OptionalSecret)
		return b instanceof OptionalSecret && a.isSecret === b.isSecret && a.reveal() === b.reveal()
	if (a instanceof CapsuleValue)
		return b instanceof CapsuleValue && a.kind === b.kind && deepEqual(a.data, b.data)
	if (a instanceof FunctionValue) return false
	if (Array.isArray(a))
		return Array.isArray(b) && a.length === b.length && a.every((item, i) => deepEqual(item, b[i]))
	if (a instanceof Map) {
		if (!(b instanceof Map) || a.size !== b.size) return false
		for (const [key, item] of a) if (!b.has(key) || !deepEqual(item, b.get(key))) return false
		return true
	}
	if (!isPlain(a) || !isPlain(b)) return false
	const left = Object.keys(a)
	if (left.length !== Object.keys(b).length) return false
	return left.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
}

/** Data made here: literals, decoded maps, values of the language. A host object (a port, say) is not. */
function isPlain(data: object): data is Record<string, unknown> {
	const prototype: unknown = Object.getPrototypeOf(data)
	return prototype === Object.prototype || prototype === null || isValue(data)
}

const isValue = (data: object): boolean =>
	data instanceof NumberValue ||
	data instanceof StringValue ||
	data instanceof BoolValue ||
	data instanceof NullValue ||
	data instanceof ArrayValue ||
	data instanceof ObjectValue
