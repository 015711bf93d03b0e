import { Script } from 'node:vm'
import { numbersEqual } from '../number.ts'
import { compareText } from '../text.ts'
import type { Value } from '../values.ts'
import { FunctionError } from './function.ts'
import { type Equation, type Fragment, nothing } from './json-path-syntax.ts'

/** Results are bounded: `..` repeated would multiply them without end. */
const maxResults = 100_000

/** All values a path leads to, in the order of the document. */
export function findPath(path: readonly Fragment[], document: Value): readonly Value[] {
	if (path.length === 0) return []
	return follow(path, document, document)
}

function follow(path: readonly Fragment[], from: Value, root: Value): readonly Value[] {
	let current: readonly Value[] = [from]
	for (const fragment of path) {
		const next: Value[] = []
		for (const value of current) {
			step(fragment, value, root, next)
			if (next.length > maxResults) throw new FunctionError(`json_path: more than ${maxResults} results`)
		}
		current = next
	}
	return current
}

function step(fragment: Fragment, value: Value, root: Value, out: Value[]): void {
	switch (fragment.kind) {
		case 'root':
			out.push(root)
			return
		case 'current':
			out.push(value)
			return
		case 'wildcard':
			out.push(...children(value))
			return
		case 'descent':
			descend(value, out)
			return
		case 'child':
			member(value, fragment.name, out)
			return
		case 'nth':
			member(value, fragment.index, out)
			return
		case 'union':
			for (const one of fragment.members) member(value, one, out)
			return
		case 'slice':
			if (value.type === 'array') slice(value.items, fragment, out)
			return
		case 'filter':
			for (const child of children(value)) if (truth(compute(fragment.test, child, root))) out.push(child)
	}
}

function children(value: Value): readonly Value[] {
	if (value.type === 'array') return value.items
	return value.type === 'object' ? [...value.fields.values()] : []
}

/** The value and everything below it that has members, innermost first. */
function descend(value: Value, out: Value[]): void {
	const pending: { readonly value: Value; seen: boolean }[] = [{ value, seen: false }]
	while (pending.length > 0 && out.length <= maxResults) {
		const top = pending.at(-1)!
		if (top.seen || (top.value.type !== 'array' && top.value.type !== 'object')) {
			pending.pop()
			if (top.seen) out.push(top.value)
			continue
		}
		top.seen = true
		for (const child of [...children(top.value)].reverse()) pending.push({ value: child, seen: false })
	}
}

function member(value: Value, key: string | number, out: Value[]): void {
	if (typeof key === 'string') {
		const found = value.type === 'object' ? value.fields.get(key) : undefined
		if (found !== undefined) out.push(found)
		return
	}
	const found = value.type === 'array' ? value.items.at(key) : undefined
	if (found !== undefined) out.push(found)
}

/** The end is not included. */
function slice(items: readonly Value[], range: Extract<Fragment, { kind: 'slice' }>, out: Value[]): void {
	const place = (at: number): number => (at < 0 ? items.length + at : at)
	const start = place(range.start)
	if (range.step === 0 || start < 0 || start >= items.length) return
	if (range.step > 0) {
		const end = Math.min(range.end === undefined ? items.length : place(range.end), items.length)
		for (let at = start; at < end; at += range.step) out.push(items[at]!)
		return
	}
	const end = range.end === undefined ? -1 : place(range.end)
	for (let at = start; at > end && at >= 0; at += range.step) out.push(items[at]!)
}

type Operand = null | boolean | number | string | RegExp | Value | readonly unknown[] | typeof nothing

function compute(equation: Equation, current: Value, root: Value): Operand {
	switch (equation.kind) {
		case 'value':
			return equation.data
		case 'path': {
			const found = follow(equation.path, current, root)
			return found.length === 0 ? nothing : plain(found[0]!)
		}
		case 'not':
			return !truth(compute(equation.operand, current, root))
		case 'binary':
			return operate(equation.op, compute(equation.left, current, root), () =>
				compute(equation.right, current, root),
			)
		case 'call':
			return call(equation, current, root)
	}
}

function plain(value: Value): Operand {
	switch (value.type) {
		case 'null':
			return null
		case 'bool':
			return value.data
		case 'number':
			return value.float
		case 'string':
			return value.text
		default:
			return value
	}
}

const truth = (operand: Operand): boolean => operand === true

function operate(op: string, left: Operand, right: () => Operand): Operand {
	if (op === '&&') return truth(left) && truth(right())
	if (op === '||') return truth(left) || truth(right())
	const other = right()
	switch (op) {
		case '==':
			return same(left, other)
		case '!=':
			return !same(left, other)
		case '=~':
		case '~=':
			return typeof left === 'string' && matches(left, other)
		case 'in':
			return Array.isArray(other) && other.some((one) => same(left, one as Operand))
		case 'has':
		case 'exists':
			return (left !== nothing) === other
		case 'empty':
			return isEmpty(left) === other
		case '+':
			if (typeof left === 'string' && typeof other === 'string') return left + other
			return typeof left === 'number' && typeof other === 'number' ? left + other : null
		case '-':
			return typeof left === 'number' && typeof other === 'number' ? left - other : null
		case '*':
			return typeof left === 'number' && typeof other === 'number' ? left * other : null
		case '/':
			return typeof left === 'number' && typeof other === 'number' && other !== 0 ? left / other : null
		default:
			return ordered(op, left, other)
	}
}

function same(left: Operand, right: Operand): boolean {
	if (typeof left === 'object' && left !== null && typeof right === 'object' && right !== null)
		return (
			'type' in left &&
			'type' in right &&
			left.type === 'number' &&
			right.type === 'number' &&
			numbersEqual(left, right)
		)
	return left === right
}

function ordered(op: string, left: Operand, right: Operand): boolean {
	let order: number
	if (typeof left === 'number' && typeof right === 'number') order = left - right
	else if (typeof left === 'string' && typeof right === 'string') order = compareText(left, right)
	else return false
	return op === '<' ? order < 0 : op === '<=' ? order <= 0 : op === '>' ? order > 0 : order >= 0
}

function isEmpty(operand: Operand): boolean {
	if (typeof operand === 'string') return operand === ''
	if (operand !== null && typeof operand === 'object' && 'type' in operand)
		return children(operand).length === 0
	return false
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

const maxMatchMs = 100
const probe = new Script('pattern.test(text)')

/** A pattern written to backtrack without end is given up, not waited for. */
function boundedTest(pattern: RegExp, text: string): boolean {
	try {
		return probe.runInNewContext({ pattern, text }, { timeout: maxMatchMs }) === true
	} catch {
		throw new FunctionError(`json_path: matching /${pattern.source}/ took longer than ${maxMatchMs} ms`)
	}
}

function call(equation: Extract<Equation, { kind: 'call' }>, current: Value, root: Value): Operand {
	const [first, second] = equation.args as [Equation, Equation | undefined]
	if (equation.name === 'count')
		return first.kind === 'path' ? follow(first.path, current, root).length : nothing
	const subject = compute(first, current, root)
	if (equation.name === 'length') {
		if (typeof subject === 'string') return [...subject].length
		return subject !== null && typeof subject === 'object' && 'type' in subject
			? children(subject).length
			: nothing
	}
	const pattern = second === undefined ? nothing : compute(second, current, root)
	if (typeof subject !== 'string' || typeof pattern !== 'string') return false
	return matches(subject, equation.name === 'match' ? `^(?:${pattern})$` : pattern)
}
