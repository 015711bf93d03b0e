import type { ArgsSchema, Field, Fields } from '../eval/args.ts'
import type { Type } from '../eval/types.ts'
import type { AnyDefinition } from '../graph/component.ts'
import { configBlocks, serviceBlocks } from '../graph/config-blocks.ts'
import type { Registry } from '../graph/registry.ts'
import type { BlockNode } from './outline.ts'

/** What may stand in a block's body. */
export type BodyKind =
	/** Blocks with labels: the file, a `declare`, the `template` of a `foreach`. */
	| { readonly kind: 'module' }
	| { readonly kind: 'fields'; readonly fields: Fields; readonly owner: Owner }
	/** A declare that is used here: its arguments. */
	| { readonly kind: 'custom'; readonly declare: BlockNode }
	| { readonly kind: 'unknown' }

/** Whose arguments they are. */
export interface Owner {
	readonly name: string
	readonly definition: AnyDefinition | undefined
}

export const isModule = (block: BlockNode): boolean =>
	block.parent === undefined ||
	block.name === 'declare' ||
	(block.name === 'template' && block.parent.name === 'foreach')

/** The module that a block stands in; for a block that is one, the module around it. */
export function moduleOf(block: BlockNode): BlockNode {
	let at = block.parent ?? block
	while (!isModule(at)) at = at.parent!
	return at
}

/** `declare` blocks that are visible in a module, the inner ones first. */
export function declaresIn(module: BlockNode): readonly BlockNode[] {
	const found: BlockNode[] = []
	for (let at: BlockNode | undefined = module; at !== undefined; at = at.parent)
		if (isModule(at)) found.push(...at.blocks.filter((one) => one.name === 'declare' && one.label !== ''))
	return found
}

export function bodyOf(block: BlockNode, registry: Registry): BodyKind {
	if (isModule(block)) return { kind: 'module' }
	const path: BlockNode[] = []
	let at = block
	while (at.parent !== undefined && !isModule(at.parent)) {
		path.push(at)
		at = at.parent
	}
	path.reverse()
	const declare = declaresIn(moduleOf(at)).find((one) => one.label === at.name)
	if (declare !== undefined) return path.length === 0 ? { kind: 'custom', declare } : { kind: 'unknown' }
	const schema = schemaOf(at.name, registry)
	if (schema === undefined) return { kind: 'unknown' }
	const owner: Owner = { name: at.name, definition: registry.get(at.name) }
	let { fields } = schema
	for (const inner of path) {
		const field = fieldOf(fields, inner.name)
		if (field === undefined || !('schema' in field)) return { kind: 'unknown' }
		fields = field.schema.fields
	}
	return { kind: 'fields', fields, owner }
}

export const schemaOf = (name: string, registry: Registry): ArgsSchema<unknown> | undefined =>
	registry.get(name)?.args ?? serviceBlocks.get(name) ?? configBlocks.get(name)

export const fieldOf = (fields: Fields, name: string): Field | undefined =>
	Object.hasOwn(fields, name) ? fields[name] : undefined

/** Words a value may be, also as the elements of a list. */
export function choicesOf(type: Type<unknown>): readonly string[] {
	return type.choices ?? type.element?.choices ?? []
}

/** Kind of host value that is wanted, also as the elements of a list. */
export function capsuleOf(type: Type<unknown>): string | undefined {
	return type.capsuleKind ?? type.element?.capsuleKind
}

/** Blocks that are no components, with what they are for. */
export const BLOCK_DOCS: Readonly<Record<string, string>> = {
	argument: 'A value that this module takes; read it as `argument.LABEL.value`.',
	declare: 'A custom component: its body is a module of its own.',
	export: 'A value that this module gives.',
	foreach: 'Runs its `template` once for every element of a collection. Experimental.',
	http: 'Authentication and TLS of the HTTP server.',
	'import.file': 'Takes custom components from a file or folder.',
	'import.git': 'Takes custom components from a Git repository.',
	'import.http': 'Takes custom components from a URL.',
	'import.string': 'Takes custom components from a text.',
	livedebugging: 'Lets data be looked at over HTTP while it flows.',
	logging: "Level and form of Vör's own log.",
	template: 'What runs for each element of the collection.',
	tracing: "Vör's own traces.",
}

/** Names of blocks, beside components, that may stand in a module. */
export function configBlockNames(module: BlockNode): readonly string[] {
	const labelled = ['declare', 'foreach', 'import.file', 'import.git', 'import.http', 'import.string']
	if (module.parent === undefined) return [...labelled, ...serviceBlocks.keys()]
	return module.name === 'declare' ? [...labelled, 'argument', 'export'] : labelled
}

/** No label is written. */
export const isUnlabelled = (name: string, registry: Registry): boolean =>
	serviceBlocks.has(name) || registry.get(name)?.singleton === true
