import type { Type } from '../eval/types.ts'
import type { Registry } from '../graph/registry.ts'
import { declaresIn, isModule, moduleOf } from './catalog.ts'
import type { BlockNode, Chain } from './outline.ts'

/** Something that a value can name: `otelcol.exporter.otlp.x.input`. */
export interface Target {
	/** Without the field: `otelcol.exporter.otlp.x`. */
	readonly id: string
	/** '' where the block itself is the value. */
	readonly field: string
	readonly type: Type<unknown> | undefined
	readonly block: BlockNode
}

export const idOf = (block: BlockNode): string =>
	block.label === '' ? block.name : `${block.name}.${block.label}`

/** Everything that can be named from inside a block. In a template also what stands around its `foreach`. */
export function targetsFor(block: BlockNode, registry: Registry): readonly Target[] {
	const out: Target[] = []
	let module = isModule(block) ? block : moduleOf(block)
	for (;;) {
		for (const one of module.blocks) if (one !== block) out.push(...targetsOf(one, registry))
		if (module.name !== 'template' || module.parent === undefined) return out
		const loop = module.parent
		const variable = loop.attributes.find((attribute) => attribute.name === 'var')
		if (variable !== undefined) out.push({ id: 'var', field: '', type: undefined, block: loop })
		module = moduleOf(loop)
	}
}

function targetsOf(block: BlockNode, registry: Registry): readonly Target[] {
	const id = idOf(block)
	if (block.name === 'argument') return [{ id, field: 'value', type: undefined, block }]
	const definition = registry.get(block.name)
	if (definition !== undefined)
		return Object.entries(definition.exports.fields).map(([field, type]) => ({ id, field, type, block }))
	const declare = declaresIn(moduleOf(block)).find((one) => one.label === block.name)
	if (declare === undefined) return []
	return declare.blocks
		.filter((one) => one.name === 'export')
		.map((one) => ({ id, field: one.label, type: undefined, block }))
}

/** `prometheus.exporter.x.LABEL` with a namespace or two before it. */
const MAX_ID_PARTS = 12

/** The block that a name in a value stands for, by the longest prefix of the name that is a block's id. */
export function resolveChain(chain: Chain, block: BlockNode): BlockNode | undefined {
	const names = chain.parts.map((part) => part.name)
	let module = isModule(block) ? block : moduleOf(block)
	for (;;) {
		for (let length = Math.min(names.length, MAX_ID_PARTS); length > 0; length--) {
			const id = names.slice(0, length).join('.')
			const found = module.blocks.find((one) => idOf(one) === id)
			if (found !== undefined) return found
		}
		if (module.name !== 'template' || module.parent === undefined) return undefined
		module = moduleOf(module.parent)
	}
}
