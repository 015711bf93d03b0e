import type { Attribute, Block, Body, Expr } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import type {
	ArgsSchema,
	BlockField,
	BlocksField,
	Field,
	Fields,
	MapBlockField,
	OptionalBlockField,
} from './args.ts'
import { defaultsOf } from './args.ts'
import { valueError } from './errors.ts'
import { DiagnosticError, type Evaluator, UnknownSignal } from './evaluate.ts'
import type { Type } from './types.ts'
import { hasUnknown, UnknownValue, type Value } from './values.ts'

/** A decoding problem that Alloy reports without a place of its own (its caller adds the component's). */
export class PlacelessError extends Error {}

/** Decodes the body of a component block; stops at the first problem, as Alloy does. */
export function decodeBody<T>(schema: ArgsSchema<T>, body: Body, evaluator: Evaluator): T {
	return evaluator.located(() => decodeInto(schema, body, evaluator, undefined) as T)
}

function decodeInto(
	schema: ArgsSchema<unknown>,
	body: Body,
	evaluator: Evaluator,
	label: string | undefined,
): unknown {
	const { fields } = schema
	const out = defaultsOf(fields)
	for (const [name, field] of Object.entries(fields)) if (field.kind === 'label') out[name] = label ?? ''
	const counts = new Map<string, number>()
	for (const statement of body)
		if (statement.kind === 'block') {
			const name = statement.name.join('.')
			counts.set(name, (counts.get(name) ?? 0) + 1)
		}
	const seen = new Set<string>()
	for (const statement of body) {
		if (statement.kind === 'attribute') decodeAttribute(fields, statement, evaluator, seen, out)
		else decodeNested(fields, statement, evaluator, counts, seen, out)
	}
	const missing = missingField(fields, seen)
	if (missing !== undefined) throw new PlacelessError(missing)
	const problem = evaluator.sawUnknown ? undefined : schema.validate?.(out)
	if (problem !== undefined) throw new PlacelessError(problem)
	return out
}

/** The first required field that was not given, as a message. */
export function missingField(fields: Fields, seen: ReadonlySet<string>): string | undefined {
	for (const [name, field] of Object.entries(fields))
		if (field.required && !seen.has(name))
			return `missing required ${field.kind === 'attr' ? 'attribute' : 'block'} "${name}"`
	return undefined
}

export const fieldOf = (fields: Fields, name: string): Exclude<Field, { kind: 'label' }> | undefined => {
	const field = Object.hasOwn(fields, name) ? fields[name] : undefined
	return field?.kind === 'label' ? undefined : field
}

/** An error over a whole statement. */
export const statementError = (statement: Attribute | Block, message: string): Diagnostic => ({
	severity: 'error',
	start: statement.source.position(statement.start),
	end: statement.source.position(statement.end),
	message,
})

/** An error over a block's head: from its name to the opening brace. */
export const headError = (statement: Block, message: string): Diagnostic => ({
	severity: 'error',
	start: statement.source.position(statement.start),
	end: statement.source.position(statement.lcurly),
	message,
})

/** What makes an attribute or block name wrong here, in Alloy's words. */
export function misuse(fields: Fields, statement: Attribute | Block): string | undefined {
	const name = statement.kind === 'attribute' ? statement.name.name : statement.name.join('.')
	const field = fieldOf(fields, name)
	if (field === undefined) return `unrecognized ${statement.kind} name "${name}"`
	if (statement.kind === 'attribute' && field.kind !== 'attr')
		return `"${name}" must be a block, but is used as an attribute`
	if (statement.kind === 'block' && field.kind === 'attr')
		return `"${name}" must be an attribute, but is used as a block`
	return undefined
}

function decodeAttribute(
	fields: Fields,
	statement: Attribute,
	evaluator: Evaluator,
	seen: Set<string>,
	out: Record<string, unknown>,
): void {
	const name = statement.name.name
	if (seen.has(name))
		throw new DiagnosticError(statementError(statement, `attribute "${name}" may only be provided once`))
	seen.add(name)
	const wrong = misuse(fields, statement)
	if (wrong !== undefined) throw new DiagnosticError(statementError(statement, wrong))
	const field = fieldOf(fields, name)
	if (field?.kind === 'attr') {
		const decoded = decodeValue(field.type, statement.value, evaluator)
		if (decoded !== unknown) out[name] = decoded
	}
}

const unknown = Symbol('unknown')

/** The decoded value of an expression; what only running would tell is checked as far as its type is known. */
function decodeValue(type: Type<unknown>, expr: Expr, evaluator: Evaluator): unknown {
	let value: Value
	try {
		value = evaluator.evaluate(expr)
	} catch (reason) {
		if (!(reason instanceof UnknownSignal)) throw reason
		value = new UnknownValue('any')
	}
	if (!hasUnknown(value)) return type.decode(value)
	if (type.name === 'any') {
		if (value instanceof UnknownValue) evaluator.sawUnknown = true
		return type.decode(value)
	}
	if (value instanceof UnknownValue && !mayDecode(type, value.claimed))
		throw valueError(value, `should be ${type.name}, got ${value.claimed}`)
	evaluator.sawUnknown = true
	return unknown
}

/** Whether a value of one type can become another: texts and numbers do, and texts become secrets. */
function mayDecode(type: Type<unknown>, claimed: UnknownValue['claimed']): boolean {
	if (claimed === 'any' || claimed === type.name) return true
	if (claimed === 'string')
		return type.name === 'number' || (type.name === 'capsule' && type.capsuleKind === undefined)
	return claimed === 'number' && type.name === 'string'
}

type NestedField =
	| BlockField<unknown>
	| OptionalBlockField<unknown>
	| BlocksField<unknown>
	| MapBlockField<unknown>

function decodeNested(
	fields: Fields,
	statement: Block,
	evaluator: Evaluator,
	counts: ReadonlyMap<string, number>,
	seen: Set<string>,
	out: Record<string, unknown>,
): void {
	const name = statement.name.join('.')
	const wrong = misuse(fields, statement)
	if (wrong !== undefined) throw new DiagnosticError(statementError(statement, wrong))
	const field = fieldOf(fields, name) as NestedField
	if (field.kind !== 'blocks' && counts.get(name)! > 1)
		throw new DiagnosticError(statementError(statement, `block "${name}" may only be specified once`))
	if (field.kind === 'map-block') out[name] = decodeMap(field, statement, evaluator)
	else {
		checkLabel(field.schema.fields, statement)
		const value = decodeInto(field.schema, statement.body, evaluator, statement.label)
		if (field.kind === 'blocks') out[name] = seen.has(name) ? [...(out[name] as unknown[]), value] : [value]
		else out[name] = value
	}
	seen.add(name)
}

function checkLabel(fields: Fields, statement: Block): void {
	const wants = Object.values(fields).some((field) => field.kind === 'label')
	const name = statement.name.join('.')
	if (wants && statement.label === '')
		throw new DiagnosticError(headError(statement, `block "${name}" requires non-empty label`))
	if (!wants && statement.label !== '')
		throw new DiagnosticError(headError(statement, `block "${name}" does not support specifying labels`))
}

function decodeMap(
	field: MapBlockField<unknown>,
	statement: Block,
	evaluator: Evaluator,
): Record<string, unknown> {
	if (statement.label !== '')
		throw new DiagnosticError(
			headError(statement, `block "${statement.name.join('.')}" requires empty label`),
		)
	const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>
	for (const inner of statement.body) {
		if (inner.kind === 'block')
			throw new DiagnosticError(statementError(inner, 'nested blocks not supported here'))
		const decoded = decodeValue(field.type, inner.value, evaluator)
		if (decoded !== unknown) out[inner.name.name] = decoded
	}
	return out
}
