import { createContext, Script } from 'node:vm'
import { compareText } from '../text.ts'
import type { Value } from '../values.ts'
import { FunctionError } from './function.ts'
import { type Equation, type Fragment, nothing } from './json-path-syntax.ts'

/** Whole numbers are bigints, others numbers: the library tells them apart, too. */
type Operand =
	| null
	| boolean
	| number
	| bigint
	| string
	| RegExp
	| Value
	| readonly unknown[]
	| typeof nothing

type PathEquation = Extract<Equation, { kind: 'path' }>
type Find = (path: readonly Fragment[]) => readonly Value[]

/** What is known of the value that is tested. */
interface Case {
	readonly find: Find
	/** One of the values that each path of the test leads to. */
	readonly chosen: ReadonlyMap<PathEquation, Operand>
}

/** Paths of one test that lead to many values each would otherwise be tried without end. */
const maxCases = 100_000

/** Whether the value passes whose paths `find` follows: with any of the values that its paths lead to. */
export function passes(test: Equation, find: Find): boolean {
	const found = pathsOf(test).map((path) => ({ path, values: find(path.path) }))
	let cases = 1
	for (const { values } of found) cases *= Math.max(values.length, 1)
	if (cases > maxCases) throw new FunctionError(`json_path: a filter has more than ${maxCases} cases`)
	for (let nth = 0; nth < cases; nth++) {
		const chosen = new Map<PathEquation, Operand>()
		let rest = nth
		for (const { path, values } of found) {
			const size = Math.max(values.length, 1)
			const value = values[rest % size]
			chosen.set(path, value === undefined ? nothing : plain(value))
			rest = Math.floor(rest / size)
		}
		if (isTrue(test, { find, chosen })) return true
	}
	return false
}

/** Those whose values matter one by one: what is only counted is none. */
function pathsOf(test: Equation): readonly PathEquation[] {
	switch (test.kind) {
		case 'path':
			return [test]
		case 'value':
			return []
		case 'not':
			return pathsOf(test.operand)
		case 'binary':
			return [...pathsOf(test.left), ...pathsOf(test.right)]
		case 'call':
			return test.name === 'count' ? [] : test.args.flatMap(pathsOf)
	}
}

/** Where a yes or no is asked for, a path says whether there is something, whatever it is. */
function isTrue(test: Equation, one: Case): boolean {
	return test.kind === 'path' ? one.chosen.get(test) !== nothing : compute(test, one) === true
}

function compute(test: Equation, one: Case): Operand {
	switch (test.kind) {
		case 'value':
			return test.data
		case 'path':
			return one.chosen.get(test) ?? null
		case 'not':
			return !isTrue(test.operand, one)
		case 'call':
			return call(test, one)
		case 'binary':
			if (test.op === '&&') return isTrue(test.left, one) && isTrue(test.right, one)
			if (test.op === '||') return isTrue(test.left, one) || isTrue(test.right, one)
			return operate(test.op, compute(test.left, one), compute(test.right, one))
	}
}

function plain(value: Value): Operand {
	switch (value.type) {
		case 'null':
			return null
		case 'bool':
			return value.data
		case 'number':
			return value.kind === 'float' ? value.float : BigInt(value.data)
		case 'string':
			return value.text
		default:
			return value
	}
}

const isNumber = (operand: Operand): operand is number | bigint =>
	typeof operand === 'number' || typeof operand === 'bigint'

function operate(op: string, left: Operand, right: Operand): Operand {
	switch (op) {
		case '==':
			return same(left, right)
		case '!=':
			return !same(left, right)
		case '=~':
		case '~=':
			return typeof left === 'string' && matches(left, right)
		case 'in':
			return Array.isArray(right) && right.includes(left)
		case 'has':
		case 'exists':
			return (left !== nothing) === right
		case 'empty': {
			const size = sizeOf(left)
			return size !== undefined && (size === 0) === right
		}
		case '+':
			if (typeof left === 'string' && typeof right === 'string') return left + right
			return arithmetic(op, left, right)
		case '-':
		case '*':
		case '/':
			return arithmetic(op, left, right)
		default:
			return ordered(op, left, right)
	}
}

/** 1 and 1.0 are the same; lists and objects never are. */
function same(left: Operand, right: Operand): boolean {
	if (isNumber(left) && isNumber(right)) return !(left < right || left > right)
	return typeof left === 'object' && left !== null ? false : left === right
}

/** Whole numbers stay whole. Nothing comes of what cannot be computed. */
function arithmetic(op: string, left: Operand, right: Operand): number | bigint | typeof nothing {
	if (!isNumber(left) || !isNumber(right) || (op === '/' && Number(right) === 0)) return nothing
	if (typeof left === 'bigint' && typeof right === 'bigint') {
		const whole =
			op === '+' ? left + right : op === '-' ? left - right : op === '*' ? left * right : left / right
		return BigInt.asIntN(64, whole)
	}
	const a = Number(left)
	const b = Number(right)
	return op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : a / b
}

function ordered(op: string, left: Operand, right: Operand): boolean {
	let order: number
	if (isNumber(left) && isNumber(right)) order = left < right ? -1 : left > right ? 1 : 0
	else if (typeof left === 'string' && typeof right === 'string') order = compareText(left, right)
	else return false
	return op === '<' ? order < 0 : op === '<=' ? order <= 0 : op === '>' ? order > 0 : order >= 0
}

/** Bytes of a text, members of a list or object. */
function sizeOf(operand: Operand): number | undefined {
	if (typeof operand === 'string') return Buffer.byteLength(operand)
	if (Array.isArray(operand)) return operand.length
	if (operand === null || typeof operand !== 'object' || !('type' in operand)) return undefined
	if (operand.type === 'array') return operand.items.length
	return operand.type === 'object' ? operand.fields.size : undefined
}

function matches(text: string, pattern: Operand): boolean {
	if (pattern instanceof RegExp) return boundedTest(pattern, text)
	if (typeof pattern !== 'string') return false
	try {
		return boundedTest(new RegExp(pattern, 'u'), text)
	} catch (reason) {
		if (reason instanceof FunctionError) throw reason
		return false
	}
}

/** Of the clock: on a busy machine the shortest match may take long. */
const maxMatchMs = 1000
const probe = new Script('pattern.test(text)')
/** Made when it is first needed. */
let probed: { pattern: RegExp; text: string } | undefined

/** A pattern written to backtrack without end is given up, not waited for. */
function boundedTest(pattern: RegExp, text: string): boolean {
	try {
		probed ??= createContext({ pattern, text }) as typeof probed & {}
		probed.pattern = pattern
		probed.text = text
		return probe.runInContext(probed, { timeout: maxMatchMs }) === true
	} catch {
		throw new FunctionError(`json_path: matching /${pattern.source}/ took longer than ${maxMatchMs} ms`)
	}
}

function call(test: Extract<Equation, { kind: 'call' }>, one: Case): Operand {
	const [first, second] = test.args as [Equation, Equation | undefined]
	if (test.name === 'count') return first.kind === 'path' ? BigInt(one.find(first.path).length) : nothing
	const subject = compute(first, one)
	if (test.name === 'length') {
		const size = sizeOf(subject)
		return size === undefined ? nothing : BigInt(size)
	}
	const pattern = second === undefined ? nothing : compute(second, one)
	if (typeof subject !== 'string' || typeof pattern !== 'string') return nothing
	return matches(subject, test.name === 'match' ? `^(?:${pattern})$` : pattern)
}
