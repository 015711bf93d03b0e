import type { Fields } from '../eval/args.ts'
import type { Block, Body } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import type { Position } from '../syntax/source.ts'
import { alloyComponents } from './alloy-components.ts'
import { configBlocks, serviceBlocks } from './config-blocks.ts'
import { blockName } from './node.ts'
import type { Registry } from './registry.ts'

/** The diagnostic with what Vör can add to Alloy's text: the name that was probably meant. `blocks` is where it may stand. */
export function advise(diagnostic: Diagnostic, registry: Registry, blocks: readonly Block[]): Diagnostic {
	const help = adviceFor(diagnostic, registry, blocks)
	return help === undefined ? diagnostic : { ...diagnostic, help: [...(diagnostic.help ?? []), help] }
}

function adviceFor(
	{ message, start }: Diagnostic,
	registry: Registry,
	blocks: readonly Block[],
): string | undefined {
	const component = /^cannot find the definition of component name "(.+)"$/.exec(message)?.[1]
	if (component !== undefined) return componentAdvice(component, registry)
	const field = /^unrecognized (?:attribute|block) name "(.+)"$/.exec(message)?.[1]
	if (field === undefined) return undefined
	// In a module only the name is left: anything that some block takes.
	const known = fieldsAround(start, blocks, registry)
	const names = known === undefined ? allFieldNames(registry) : Object.keys(known)
	const near = nearest(
		field,
		names.filter((name) => name !== field),
	)
	return near === undefined ? undefined : `did you mean "${near}"?`
}

function componentAdvice(name: string, registry: Registry): string | undefined {
	const ours = registry.list().map((one) => one.name)
	if (alloyComponents.has(name)) {
		const wanted = alloyComponents.get(name)
		const close = wanted !== undefined && ours.includes(wanted) ? wanted : sameFamily(name, ours)
		const rest = close === undefined ? '' : `; the nearest one it has is ${close}`
		return `${name} is a component of Alloy that Vör does not have${rest}`
	}
	const near = nearest(name, [...ours, ...serviceBlocks.keys(), ...configBlocks.keys()])
	return near === undefined ? undefined : `did you mean ${near}?`
}

/** The one that shares the most leading parts of the name, at least the namespace and kind. */
function sameFamily(name: string, ours: readonly string[]): string | undefined {
	const space = name.slice(0, name.lastIndexOf('.') + 1)
	return space.split('.').length < 3 ? undefined : ours.find((one) => one.startsWith(space))
}

/** What the block takes in which the statement at `place` stands. */
function fieldsAround(place: Position, blocks: readonly Block[], registry: Registry): Fields | undefined {
	const inside = (one: Body[number]): one is Block =>
		one.kind === 'block' &&
		one.source.name === place.filename &&
		one.start < place.offset &&
		place.offset <= one.end
	let block = blocks.find(inside)
	// Their statements are components again.
	while (block !== undefined && ['declare', 'foreach', 'template'].includes(blockName(block)))
		block = block.body.find(inside)
	if (block === undefined) return undefined
	const name = blockName(block)
	let fields = (registry.get(name)?.args ?? serviceBlocks.get(name) ?? configBlocks.get(name))?.fields
	for (let at = block.body.find(inside); at !== undefined; at = at.body.find(inside)) {
		const field = fields?.[blockName(at)]
		fields = field !== undefined && 'schema' in field ? field.schema.fields : undefined
	}
	return fields
}

function allFieldNames(registry: Registry): readonly string[] {
	const out = new Set<string>()
	const add = (fields: Fields): void => {
		for (const [name, field] of Object.entries(fields)) {
			if (field.kind !== 'label') out.add(name)
			if (field.kind === 'block' || field.kind === 'optional-block' || field.kind === 'blocks')
				add(field.schema.fields)
		}
	}
	for (const definition of registry.list()) add(definition.args.fields)
	for (const schema of [...serviceBlocks.values(), ...configBlocks.values()]) add(schema.fields)
	return [...out]
}

/** The name with the fewest edits, when they are few for its length. */
export function nearest(
	name: string,
	names: readonly string[],
	limit = Math.max(1, Math.floor(name.length / 3)),
): string | undefined {
	let best: string | undefined
	let distance = limit + 1
	for (const one of names) {
		const edits = editDistance(name, one, distance)
		if (edits < distance) {
			best = one
			distance = edits
		}
	}
	return best
}

function editDistance(a: string, b: string, limit: number): number {
	if (Math.abs(a.length - b.length) >= limit) return limit
	let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
	for (let i = 1; i <= a.length; i++) {
		const row = [i]
		for (let j = 1; j <= b.length; j++) {
			const change = a[i - 1] === b[j - 1] ? 0 : 1
			row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + change)
		}
		previous = row
	}
	return previous[b.length]!
}
