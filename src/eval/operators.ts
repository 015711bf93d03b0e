import type { BinaryOp, UnaryOp } from '../syntax/ast.ts'
import { typeError, valueError } from './errors.ts'
import { arithmetic, compareNumbers, isZeroNumber, negate, numbersEqual, ordered } from './number.ts'
import { compareText } from './text.ts'
import {
	boolValue,
	type CapsuleValue,
	OptionalSecret,
	optionalSecretValue,
	Secret,
	secretValue,
	stringValue,
	type TypeName,
	type Value,
} from './values.ts'

/** Strings built by one `+` are at most this long: an expression cannot eat the memory by doubling. */
export const maxTextLength = 64 * 1024 * 1024

const numeric: readonly TypeName[] = ['number']
const logical: readonly TypeName[] = ['bool']
const comparable: readonly TypeName[] = ['number', 'string']
const allowed: Readonly<Record<Exclude<BinaryOp, '==' | '!='>, readonly TypeName[]>> = {
	'||': logical,
	'&&': logical,
	'+': ['number', 'string', 'capsule'],
	'-': numeric,
	'*': numeric,
	'/': numeric,
	'%': numeric,
	'^': numeric,
	'<': comparable,
	'<=': comparable,
	'>': comparable,
	'>=': comparable,
}

export function unaryOp(op: UnaryOp, value: Value): Value {
	if (op === '!') {
		if (value.type !== 'bool') throw typeError(value, 'bool')
		return boolValue(!value.data)
	}
	if (value.type !== 'number') throw typeError(value, 'number')
	return negate(value)
}

export function binaryOp(op: BinaryOp, left: Value, right: Value): Value {
	const [a, b] =
		left.type === 'capsule' || right.type === 'capsule' ? unwrapSecrets(left, right) : [left, right]
	if (op === '==') return boolValue(valuesEqual(a, b))
	if (op === '!=') return boolValue(!valuesEqual(a, b))
	const types = allowed[op]
	if (!types.includes(a.type)) throw operandError(op, types, left, a)
	if (!types.includes(b.type)) throw operandError(op, types, right, b)

	if (a.type === 'bool' && b.type === 'bool')
		return boolValue(op === '||' ? a.data || b.data : a.data && b.data)
	if (a.type === 'string' && b.type === 'string') return stringOp(op, a.text, b.text, left)
	if (a.type === 'number' && b.type === 'number') {
		switch (op) {
			case '<':
			case '<=':
			case '>':
			case '>=':
				return compareNumbers(op, a, b)
			case '||':
			case '&&':
				break
			case '/':
			case '%':
				if (isZeroNumber(b)) throw valueError(right, 'divide by zero error')
				return arithmetic(op, a, b)
			default:
				return arithmetic(op, a, b)
		}
	}
	if (a.type === 'capsule' && b.type === 'capsule') return joinSecrets(op, a, b, left)
	throw typeError(b, a.type)
}

const operandError = (op: BinaryOp, types: readonly TypeName[], original: Value, seen: Value) =>
	valueError(original, `should be one of [${types.join(' ')}] for binop ${op}, got ${seen.type}`)

function stringOp(op: BinaryOp, a: string, b: string, left: Value): Value {
	if (op === '+') {
		if (a.length + b.length > maxTextLength)
			throw valueError(left, `string is longer than ${maxTextLength} characters`)
		return stringValue(a + b)
	}
	return boolValue(ordered(op as '<' | '<=' | '>' | '>=', compareText(a, b), 0))
}

function joinSecrets(op: BinaryOp, a: CapsuleValue, b: CapsuleValue, left: Value): Value {
	if (a.data instanceof OptionalSecret) {
		const other = b.data instanceof OptionalSecret ? b.data : new OptionalSecret('', false)
		return optionalSecretValue(a.data.reveal() + other.reveal(), a.data.isSecret || other.isSecret)
	}
	if (a.data instanceof Secret) {
		return secretValue(a.data.reveal() + (b.data instanceof Secret ? b.data.reveal() : ''))
	}
	throw valueError(left, `could not perform binop ${op} for unknown types lhs ${a.type} rhs ${b.type}`)
}

/** Brings secret, optional secret and text on the two sides to one type, where that is possible. */
function unwrapSecrets(left: Value, right: Value): [Value, Value] {
	const a = left.type === 'capsule' ? left.data : left.type === 'string' ? left.text : undefined
	const b = right.type === 'capsule' ? right.data : right.type === 'string' ? right.text : undefined
	if (a instanceof OptionalSecret) {
		if (b instanceof Secret) return [secretValue(a.reveal()), right]
		if (typeof b === 'string')
			return a.isSecret ? [left, optionalSecretValue(b, true)] : [stringValue(a.reveal()), stringValue(b)]
	} else if (a instanceof Secret) {
		if (b instanceof OptionalSecret) return [left, secretValue(b.reveal())]
		if (typeof b === 'string') return [left, secretValue(b)]
	} else if (typeof a === 'string') {
		if (b instanceof OptionalSecret)
			return b.isSecret ? [optionalSecretValue(a, true), right] : [left, stringValue(b.reveal())]
		if (b instanceof Secret) return [secretValue(a), right]
	}
	return [left, right]
}

export function valuesEqual(a: Value, b: Value): boolean {
	if (a.type !== b.type) return false
	switch (a.type) {
		case 'null':
			return true
		case 'number':
			return numbersEqual(a, b as typeof a)
		case 'string':
			return a.text === (b as typeof a).text
		case 'bool':
			return a.data === (b as typeof a).data
		case 'array': {
			const other = (b as typeof a).items
			return a.items.length === other.length && a.items.every((item, i) => valuesEqual(item, other[i]!))
		}
		case 'object': {
			const other = (b as typeof a).fields
			if (a.fields.size !== other.size) return false
			for (const [key, item] of a.fields) {
				const match = other.get(key)
				if (match === undefined || !valuesEqual(item, match)) return false
			}
			return true
		}
		case 'function':
			return false
		case 'capsule':
			return capsulesEqual(a, b as typeof a)
	}
}

function capsulesEqual(a: CapsuleValue, b: CapsuleValue): boolean {
	if (a.data instanceof Secret && b.data instanceof Secret) return a.data.reveal() === b.data.reveal()
	if (a.data instanceof OptionalSecret && b.data instanceof OptionalSecret)
		return a.data.isSecret === b.data.isSecret && a.data.reveal() === b.data.reveal()
	return a.data === b.data
}
