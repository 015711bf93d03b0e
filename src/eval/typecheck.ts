import type { Attribute, Block, Expr, Literal } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import type { Source } from '../syntax/source.ts'
import type { ArgsSchema, Fields } from './args.ts'
import { fieldOf, headError, misuse, statementError } from './decode.ts'
import { problemText, ValueError } from './errors.ts'
import { literalValue } from './literal.ts'
import { binaryOp, unaryOp } from './operators.ts'
import type { Type } from './types.ts'
import type { Value } from './values.ts'

/**
 * What `validate` says about the arguments of a block without evaluating references: names, repetitions, missing fields,
 * and the types of literals. Unlike decoding it reports everything it finds.
 */
export function typecheckBlock(block: Block, schema: ArgsSchema<unknown>): Diagnostic[] {
	const out: Diagnostic[] = []
	checkFields(block, schema.fields, out)
	return out
}

function checkFields(block: Block, fields: Fields, out: Diagnostic[]): void {
	const counts = new Map<string, number>()
	for (const statement of block.body)
		if (statement.kind === 'block') {
			const name = statement.name.join('.')
			counts.set(name, (counts.get(name) ?? 0) + 1)
		}
	const seen = new Set<string>()
	for (const statement of block.body) {
		if (statement.kind === 'attribute') checkAttribute(statement, fields, seen, out)
		else checkNested(statement, fields, counts, out)
	}
	for (const [name, field] of Object.entries(fields)) {
		if (!field.required) continue
		if (field.kind === 'attr' ? seen.has(name) : counts.has(name)) continue
		const kind = field.kind === 'attr' ? 'attribute' : 'block'
		out.push(statementError(block, `missing required ${kind} "${name}"`))
	}
}

function checkNested(
	statement: Block,
	fields: Fields,
	counts: ReadonlyMap<string, number>,
	out: Diagnostic[],
): void {
	const wrong = misuse(fields, statement)
	if (wrong !== undefined) {
		out.push(statementError(statement, wrong))
		return
	}
	const name = statement.name.join('.')
	const field = fieldOf(fields, name)
	if (field === undefined || field.kind === 'attr') return
	if (field.kind !== 'blocks' && counts.get(name)! > 1)
		out.push(statementError(statement, `block "${name}" may only be specified once`))
	else if (field.kind !== 'map-block') checkFields(statement, field.schema.fields, out)
	else if (statement.label !== '') out.push(headError(statement, `block "${name}" requires empty label`))
}

function checkAttribute(statement: Attribute, fields: Fields, seen: Set<string>, out: Diagnostic[]): void {
	const name = statement.name.name
	const wrong = misuse(fields, statement)
	if (wrong !== undefined) {
		out.push(statementError(statement, wrong))
		return
	}
	if (seen.has(name)) {
		out.push(statementError(statement, `attribute "${name}" may only be provided once`))
		return
	}
	seen.add(name)
	const field = fieldOf(fields, name)
	if (field?.kind === 'attr') checkExpression(statement.value, field.type, statement.source, out)
}

function checkExpression(expr: Expr, type: Type<unknown>, source: Source, out: Diagnostic[]): void {
	const add = (from: Expr, to: Expr, message: string): void =>
		void out.push({
			severity: 'error',
			start: source.position(from.start),
			end: source.position(to.end),
			message,
		})
	switch (expr.kind) {
		case 'literal': {
			const message = refusal(() => type.decode(literalValue(expr)))
			if (message !== undefined) add(expr, expr, message)
			return
		}
		case 'array': {
			if (type.name === 'any' || type.opaque) return
			if (type.name !== 'array') {
				add(expr, expr, `expected ${type.name}, got array`)
				return
			}
			if (type.element === undefined || type.element.name === 'any') return
			for (const element of expr.elements) checkExpression(element, type.element, source, out)
			return
		}
		case 'object': {
			if (type.name === 'any' || type.opaque) return
			if (type.name !== 'object') {
				add(expr, expr, `expected ${type.name}, got object`)
				return
			}
			if (type.element === undefined || type.element.name === 'any') return
			for (const field of expr.fields) checkExpression(field.value, type.element, source, out)
			return
		}
		case 'unary': {
			if (expr.value.kind !== 'literal') return
			const operand: Literal = expr.value
			const message =
				refusal(() => unaryOp(expr.op, literalValue(operand))) ??
				refusal(() => type.decode(literalValue(operand)))
			if (message !== undefined) add(operand, operand, message)
			return
		}
		case 'binary': {
			const { left, right } = expr
			if (left.kind !== 'literal' || right.kind !== 'literal') return
			let value: Value | undefined
			const message = refusal(() => {
				value = binaryOp(expr.op, literalValue(left), literalValue(right))
			})
			const refused = message ?? refusal(() => type.decode(value!))
			if (refused !== undefined) add(left, right, refused)
			return
		}
		default:
			return
	}
}

/** The message of the value error that `work` ends in, if it does. */
function refusal(work: () => unknown): string | undefined {
	try {
		work()
		return undefined
	} catch (reason) {
		if (reason instanceof ValueError) return problemText(reason.problem)
		throw reason
	}
}
