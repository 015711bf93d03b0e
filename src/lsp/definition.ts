import { declaresIn, isModule, moduleOf } from './catalog.ts'
import { symbolAt } from './hover.ts'
import type { BlockNode } from './outline.ts'
import { resolveChain } from './references.ts'
import type { Text } from './text.ts'

/** The block that what stands at an offset comes from: a component, a `declare`, an `import`, an `argument`. */
export function definitionAt(text: Text, offset: number): BlockNode | undefined {
	const symbol = symbolAt(text, offset)
	if (symbol?.kind === 'name') return resolveChain(symbol.chain, symbol.block)
	if (symbol?.kind === 'attribute') {
		// An argument of a custom component.
		const declare = customOf(symbol.block)
		return declare?.blocks.find((one) => one.name === 'argument' && one.label === symbol.name)
	}
	return symbol === undefined ? undefined : customOf(symbol.block)
}

/** The `declare` that a block uses, or the `import` it was taken from. */
function customOf(block: BlockNode): BlockNode | undefined {
	if (block.parent === undefined || !isModule(block.parent)) return undefined
	const module = moduleOf(block)
	const declare = declaresIn(module).find((one) => one.label === block.name)
	if (declare !== undefined) return declare
	const [first, ...rest] = block.name.split('.')
	if (rest.length === 0) return undefined
	for (let at: BlockNode | undefined = module; at !== undefined; at = at.parent) {
		const found = at.blocks.find((one) => one.name.startsWith('import.') && one.label === first)
		if (found !== undefined) return found
	}
	return undefined
}
