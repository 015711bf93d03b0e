import type { Expr } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import { printExpression } from '../syntax/printer.ts'
import { noPosition, type Source } from '../syntax/source.ts'
import { type Problem, problemText, typeError, ValueError, valueError } from './errors.ts'
import { literalValue } from './literal.ts'
import { binaryOp, unaryOp } from './operators.ts'
import type { Scope } from './scope.ts'
import { ArrayValue, hasUnknown, nullValue, ObjectValue, UnknownValue, type Value } from './values.ts'

/** An evaluation or decoding that ended in a diagnostic with a place. */
export class DiagnosticError extends Error {
	readonly diagnostic: Diagnostic
	constructor(diagnostic: Diagnostic) {
		super(diagnostic.message)
		this.name = 'DiagnosticError'
		this.diagnostic = diagnostic
	}
}

/** An expression works on a value that only running would tell: its result is unknown too. */
export class UnknownSignal extends Error {}

/** Which expression made a value last: what an error about the value points at. */
export type Origins = Map<Value, Expr>

/** Evaluates expressions of one source and remembers where their values came from. */
export class Evaluator {
	readonly source: Source
	readonly scope: Scope
	readonly origins: Origins = new Map()
	/** Set when decoding left out something unknown (only while a configuration is merely checked). */
	sawUnknown = false

	constructor(source: Source, scope: Scope) {
		this.source = source
		this.scope = scope
	}

	/** Runs `work`, giving an error about a value its place. */
	located<T>(work: () => T): T {
		try {
			return work()
		} catch (reason) {
			if (reason instanceof ValueError)
				throw new DiagnosticError(locate(reason.problem, this.origins, this.source))
			if (isStackOverflow(reason)) throw new DiagnosticError(tooDeep)
			throw reason
		}
	}

	evaluate(expr: Expr): Value {
		const value = this.#compute(expr)
		if (value !== nullValue) this.origins.set(value, expr)
		return value
	}

	#compute(expr: Expr): Value {
		switch (expr.kind) {
			case 'literal':
				return literalValue(expr)
			case 'binary': {
				const left = known(this.evaluate(expr.left))
				return binaryOp(expr.op, left, known(this.evaluate(expr.right)))
			}
			case 'array':
				return new ArrayValue(expr.elements.map((element) => this.evaluate(element)))
			case 'object': {
				const fields = new Map<string, Value>()
				for (const field of expr.fields) fields.set(field.name.name, this.evaluate(field.value))
				return new ObjectValue(fields)
			}
			case 'identifier': {
				const value = this.scope.lookup(expr.name)
				if (value === undefined)
					throw this.#error(expr.start, expr.end, `identifier "${expr.name}" does not exist`)
				return value
			}
			case 'access':
				return this.#access(known(this.evaluate(expr.value)), expr.name)
			case 'index': {
				const value = known(this.evaluate(expr.value))
				return index(value, known(this.evaluate(expr.index)))
			}
			case 'paren':
				return this.evaluate(expr.inner)
			case 'unary':
				return unaryOp(expr.op, known(this.evaluate(expr.value)))
			case 'call': {
				const callee = this.evaluate(expr.value)
				if (callee.type !== 'function') throw typeError(callee, 'function')
				const args = expr.args.map((arg) => this.evaluate(arg))
				if (args.some(hasUnknown)) throw new UnknownSignal()
				return callee.call(callee, args)
			}
		}
	}

	#access(
		value: Value,
		name: { readonly name: string; readonly start: number; readonly end: number },
	): Value {
		if (value.type === 'capsule')
			throw valueError(value, 'expected object or array or a capsule convertible to an object, got capsule')
		if (value.type !== 'object')
			throw valueError(value, `cannot access field "${name.name}" on value of type ${value.type}`)
		const field = value.fields.get(name.name)
		if (field === undefined) throw this.#error(name.start, name.end, `field "${name.name}" does not exist`)
		return field
	}

	#error(start: number, end: number, message: string): DiagnosticError {
		return new DiagnosticError({
			severity: 'error',
			start: this.source.position(start),
			end: this.source.position(end),
			message,
		})
	}
}

const tooDeep: Diagnostic = {
	severity: 'error',
	start: noPosition,
	end: noPosition,
	message: 'the value is nested too deeply',
}

/** Values from JSON or YAML can be deeper than the file that they come from. */
const isStackOverflow = (reason: unknown): boolean =>
	reason instanceof RangeError && /call stack/.test(reason.message)

function known(value: Value): Value {
	if (value instanceof UnknownValue) throw new UnknownSignal()
	return value
}

function index(value: Value, key: Value): Value {
	switch (value.type) {
		case 'array': {
			if (key.type !== 'number') throw typeError(key, 'number')
			const at = key.int
			if (at < 0n || at >= BigInt(value.items.length))
				throw valueError(key, `index ${at} is out of range of array with length ${value.items.length}`)
			return value.items[Number(at)]!
		}
		case 'object':
			if (key.type !== 'string') throw typeError(key, 'string')
			return value.fields.get(key.text) ?? nullValue
		case 'capsule':
			throw valueError(value, 'expected object or array or a capsule convertible to an object, got capsule')
		default:
			throw valueError(value, `expected object or array, got ${value.type}`)
	}
}

/** Alloy's way of saying where: the innermost value of the chain that an expression made, then the path below it. */
export function locate(problem: Problem, origins: Origins, source: Source): Diagnostic {
	let node: Expr | undefined
	let path = ''
	let message = ''
	let direct = false
	for (let at: Problem | undefined = problem; at !== undefined; ) {
		let next: Problem | undefined
		switch (at.kind) {
			case 'value':
				message = at.message
				next = at.inner
				break
			case 'type':
				message = `should be ${at.expected}, got ${at.value.type}`
				break
			case 'missing-key':
				message = `does not have field named "${at.key}"`
				break
			case 'element':
			case 'field':
			case 'argument':
				if (at.kind === 'element') path += `[${at.index}]`
				else if (at.kind === 'field') path += `.${at.field}`
				else message = typeof at.inner === 'string' ? at.inner : problemText(at.inner)
				next = typeof at.inner === 'string' ? undefined : at.inner
		}
		const origin = origins.get(at.value)
		if (origin === undefined) direct = false
		else {
			if (direct) path = ''
			node = origin
			direct = true
		}
		at = next
	}
	if (node === undefined)
		return { severity: 'error', start: noPosition, end: noPosition, message: `${path} ${message}` }
	return {
		severity: 'error',
		start: source.position(node.start),
		end: source.position(node.end),
		message: `${printExpression(node, source)}${path} ${message}`,
	}
}
