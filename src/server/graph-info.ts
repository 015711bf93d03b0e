import type { ArgsSchema, Field } from '../eval/args.ts'
import { deepEqual } from '../eval/equal.ts'
import { numberText } from '../eval/number.ts'
import { quote } from '../eval/text.ts'
import { describe, OptionalSecret, Secret, type Value } from '../eval/values.ts'
import type { ComponentInfo as GraphComponent } from '../graph/graph.ts'
import type { BodyItem, BodyValue, ComponentInfo } from './component-info.ts'

/** A component of the graph in the shape of Alloy's API. Secrets show that they are there, not what they hold. */
export function componentInfo(one: GraphComponent): ComponentInfo {
	const { health, definition, exports } = one
	return {
		name: one.name,
		type: 'block',
		localID: one.localId,
		moduleID: one.moduleId,
		label: one.label,
		referencesTo: one.referencesTo,
		referencedBy: one.referencedBy,
		dataFlowEdgesTo: [],
		health: { state: health.state, message: health.message, updatedTime: health.updated.toISOString() },
		original: '',
		arguments: definition === undefined ? [] : bodyOf(definition.args, one.args),
		exports:
			exports?.type === 'object'
				? [...exports.fields].map(([name, value]) => ({ name, type: 'attr', value: shown(value) }))
				: [],
		debugInfo: [],
		...(one.createdModuleIds.length > 0 ? { createdModuleIDs: one.createdModuleIds } : {}),
		liveDebuggingEnabled: one.live?.supported ?? false,
	}
}

function bodyOf(schema: ArgsSchema<unknown>, args: unknown): BodyItem[] {
	const values = (args ?? {}) as Readonly<Record<string, unknown>>
	const items: BodyItem[] = []
	for (const [name, field] of Object.entries(schema.fields))
		items.push(...fieldItems(name, field, values[name]))
	return items
}

function fieldItems(name: string, field: Field, value: unknown): BodyItem[] {
	switch (field.kind) {
		case 'attr': {
			if (value === undefined) return []
			const encoded = field.type.encode(value)
			// As Alloy: what has its default is not shown.
			if (!field.required && deepEqual(encoded, field.type.encode(field.default))) return []
			return [{ name, type: 'attr', value: shown(encoded) }]
		}
		case 'block': {
			const body = bodyOf(field.schema, value)
			return body.length === 0 ? [] : [{ name, type: 'block', body }]
		}
		case 'optional-block':
			return value === undefined ? [] : [{ name, type: 'block', body: bodyOf(field.schema, value) }]
		case 'blocks':
			return (value as readonly unknown[]).map((each) => ({
				name,
				type: 'block',
				body: bodyOf(field.schema, each),
			}))
		case 'map-block':
			return [
				{
					name,
					type: 'block',
					body: Object.entries(value as Readonly<Record<string, unknown>>).map(([key, each]) => ({
						name: key,
						type: 'attr',
						value: shown(field.type.encode(each)),
					})),
				},
			]
		case 'label':
			return []
	}
}

function shown(value: Value): BodyValue {
	switch (value.type) {
		case 'null':
			return { type: 'null' }
		case 'number':
			return { type: 'number', value: numberText(value) }
		case 'string':
			return { type: 'string', value: value.text }
		case 'bool':
			return { type: 'bool', value: value.data }
		case 'array':
			return { type: 'array', value: value.items.map(shown) }
		case 'object':
			return {
				type: 'object',
				value: [...value.fields].map(([key, each]) => ({ key, value: shown(each) })),
			}
		case 'function':
			return { type: 'function', value: 'function' }
		case 'capsule':
			if (value.data instanceof OptionalSecret && !value.data.isSecret)
				return { type: 'capsule', value: quote(value.data.reveal()) }
			if (value.data instanceof Secret || value.data instanceof OptionalSecret)
				return { type: 'capsule', value: '(secret)' }
			return { type: 'capsule', value: describe(value) }
	}
}
