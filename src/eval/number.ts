import { type BoolValue, boolValue, floatValue, intValue, type NumberValue, uintValue } from './values.ts'

type Arithmetic = '+' | '-' | '*' | '/' | '%' | '^'
type Order = '<' | '<=' | '>' | '>='

/** uint < int < float: the kind both sides are brought to. */
function commonKind(a: NumberValue, b: NumberValue): NumberValue['kind'] {
	if (a.kind === 'float' || b.kind === 'float') return 'float'
	return a.kind === 'int' || b.kind === 'int' ? 'int' : 'uint'
}

/** Go's arithmetic: integers wrap, division truncates. The caller has refused a zero divisor. */
export function arithmetic(op: Arithmetic, a: NumberValue, b: NumberValue): NumberValue {
	switch (commonKind(a, b)) {
		case 'float':
			return floatValue(floatArithmetic(op, a.float, b.float))
		case 'int':
			return intValue(intArithmetic(op, a.int, b.int))
		case 'uint':
			return uintValue(intArithmetic(op, a.uint, b.uint))
	}
}

function floatArithmetic(op: Arithmetic, a: number, b: number): number {
	switch (op) {
		case '+':
			return a + b
		case '-':
			return a - b
		case '*':
			return a * b
		case '/':
			return a / b
		case '%':
			return a % b
		case '^':
			// Go says 1 where JavaScript says NaN.
			return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b
	}
}

function intArithmetic(op: Arithmetic, a: bigint, b: bigint): bigint {
	switch (op) {
		case '+':
			return a + b
		case '-':
			return a - b
		case '*':
			return a * b
		case '/':
			return a / b
		case '%':
			return a % b
		case '^':
			return power(a, b)
	}
}

/** Alloy multiplies once per unit of the exponent and so gives the base for a negative one; we get there by squaring. */
function power(base: bigint, exponent: bigint): bigint {
	if (exponent === 0n || base === 1n) return 1n
	if (exponent < 0n || base === 0n) return base
	let result = 1n
	let square = base
	for (let rest = exponent; rest > 0n; rest >>= 1n) {
		if (rest & 1n) result = BigInt.asUintN(64, result * square)
		square = BigInt.asUintN(64, square * square)
	}
	return result
}

export function compareNumbers(op: Order, a: NumberValue, b: NumberValue): BoolValue {
	const kind = commonKind(a, b)
	if (kind === 'float') return boolValue(ordered(op, a.float, b.float))
	return boolValue(kind === 'int' ? ordered(op, a.int, b.int) : ordered(op, a.uint, b.uint))
}

export function ordered<T extends number | bigint | string>(op: Order, a: T, b: T): boolean {
	switch (op) {
		case '<':
			return a < b
		case '<=':
			return a <= b
		case '>':
			return a > b
		case '>=':
			return a >= b
	}
}

export function numbersEqual(a: NumberValue, b: NumberValue): boolean {
	const kind = commonKind(a, b)
	if (kind === 'float') return a.float === b.float
	return kind === 'int' ? a.int === b.int : a.uint === b.uint
}

export const isZeroNumber = (value: NumberValue): boolean => value.data === 0n || value.data === 0

export const negate = (value: NumberValue): NumberValue =>
	value.kind === 'float' ? floatValue(-value.float) : intValue(-value.int)

/** Decimal text without an exponent, shortest for a float. */
export function numberText(value: NumberValue): string {
	return value.kind === 'float' ? floatText(value.float) : value.data.toString()
}

/** Go's `FormatFloat(f, 'f', -1, 64)`. */
export function floatText(data: number): string {
	if (Number.isNaN(data)) return 'NaN'
	if (!Number.isFinite(data)) return data > 0 ? '+Inf' : '-Inf'
	if (Object.is(data, -0)) return '-0'
	const text = String(data)
	const at = text.indexOf('e')
	if (at < 0) return text
	const exponent = Number(text.slice(at + 1))
	const sign = data < 0 ? '-' : ''
	const [whole = '', fraction = ''] = text.slice(sign.length, at).split('.')
	const digits = whole + fraction
	const point = whole.length + exponent
	if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
	return (
		sign +
		(point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`)
	)
}
