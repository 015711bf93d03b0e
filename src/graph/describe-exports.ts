import type { Type } from '../eval/types.ts'
import { CapsuleValue, ObjectValue, UnknownValue, type Value } from '../eval/values.ts'
import type { AnyDefinition } from './component.ts'

/** What a component would export, as far as that can be told without building it. */
export function describeExports(definition: AnyDefinition, args: unknown): Value {
	const told = definition.describeExports?.(args) ?? {}
	const fields = new Map<string, Value>()
	for (const [name, type] of Object.entries(definition.exports.fields))
		fields.set(name, told[name] ?? placeholder(type))
	return new ObjectValue(fields, true)
}

function placeholder(type: Type<unknown>): Value {
	if (type.capsuleKind !== undefined) return new CapsuleValue(type.capsuleKind, {})
	// The other capsules are secrets, plain or not: text, as far as anybody can tell.
	return new UnknownValue(type.name === 'capsule' ? 'string' : type.name)
}
