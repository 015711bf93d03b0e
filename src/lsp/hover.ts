import type { Hover } from 'vscode-languageserver'
import { deprecatedNames } from '../eval/stdlib/index.ts'
import type { Registry } from '../graph/registry.ts'
import { BLOCK_DOCS, bodyOf, declaresIn, fieldOf, isModule, moduleOf } from './catalog.ts'
import { describeDeclare } from './completion.ts'
import { describeComponent, describeField } from './describe.ts'
import { type BlockNode, type Chain, chainAt } from './outline.ts'
import { idOf, resolveChain } from './references.ts'
import { STDLIB_DOCS } from './stdlib-docs.ts'
import type { Text } from './text.ts'

/** What stands at an offset: the head of a block, the name of an attribute, or a name in a value. */
export type Symbol =
	| { readonly kind: 'head'; readonly block: BlockNode }
	| {
			readonly kind: 'attribute'
			readonly block: BlockNode
			readonly name: string
			readonly at: [number, number]
	  }
	| { readonly kind: 'name'; readonly block: BlockNode; readonly chain: Chain }

export function symbolAt(text: Text, offset: number): Symbol | undefined {
	const { outline } = text
	const place = outline.at(offset)
	const { block } = place
	const head = block.blocks.find((one) => one.start <= offset && offset <= one.headEnd)
	if (head !== undefined) return { kind: 'head', block: head }
	const attribute = block.attributes.find((one) => one.start <= offset && offset <= one.nameEnd)
	if (attribute !== undefined)
		return { kind: 'attribute', block, name: attribute.name, at: [attribute.start, attribute.nameEnd] }
	// A block whose brace is not typed yet, or the place right before its body.
	if (block.parent !== undefined && block.start <= offset && offset <= block.headEnd)
		return { kind: 'head', block }
	if (place.kind !== 'value') return undefined
	const chain = chainAt(text.source, offset)
	return chain === undefined ? undefined : { kind: 'name', block, chain }
}

export function hover(text: Text, offset: number, registry: Registry): Hover | undefined {
	const symbol = symbolAt(text, offset)
	if (symbol === undefined) return undefined
	const found = describeSymbol(symbol, registry)
	if (found === undefined) return undefined
	const [value, start, end] = found
	return { contents: { kind: 'markdown', value }, range: text.range(start, end) }
}

function describeSymbol(symbol: Symbol, registry: Registry): [string, number, number] | undefined {
	switch (symbol.kind) {
		case 'head': {
			const { block } = symbol
			const doc = describeHead(block, registry)
			return doc === undefined ? undefined : [doc, block.start, block.nameEnd]
		}
		case 'attribute': {
			const body = bodyOf(symbol.block, registry)
			const field = body.kind === 'fields' ? fieldOf(body.fields, symbol.name) : undefined
			return field === undefined ? undefined : [describeField(symbol.name, field), ...symbol.at]
		}
		case 'name': {
			const { chain, block } = symbol
			const doc = describeName(chain, block, registry)
			return doc === undefined ? undefined : [doc, chain.start, chain.end]
		}
	}
}

function describeHead(block: BlockNode, registry: Registry): string | undefined {
	const parent = block.parent
	if (parent !== undefined && !isModule(parent)) {
		const body = bodyOf(parent, registry)
		const field = body.kind === 'fields' ? fieldOf(body.fields, block.name) : undefined
		if (field !== undefined) return describeField(block.name, field)
		return block.name === 'template' ? `**template**\n\n${BLOCK_DOCS['template']}` : undefined
	}
	const declare = declaresIn(moduleOf(block)).find((one) => one.label === block.name)
	if (declare !== undefined) return describeDeclare(declare)
	const definition = registry.get(block.name)
	if (definition !== undefined) return describeComponent(definition)
	const doc = BLOCK_DOCS[block.name]
	return doc === undefined ? undefined : `**${block.name}**\n\n${doc}`
}

function describeName(chain: Chain, block: BlockNode, registry: Registry): string | undefined {
	const target = resolveChain(chain, block)
	if (target !== undefined) {
		const doc = describeHead(target, registry)
		return `\`${idOf(target)}\`${doc === undefined ? '' : `\n\n${doc}`}`
	}
	const names = chain.parts.map((part) => part.name)
	for (const name of [names.slice(0, 2).join('.'), names[0]!]) {
		const now = deprecatedNames.get(name)
		const entry = STDLIB_DOCS[now ?? name]
		if (entry === undefined) continue
		const old = now === undefined ? '' : `\n\n*Deprecated:* use \`${now}\`.`
		return `\`${entry.signature}\`\n\n${entry.doc}${old}`
	}
	return undefined
}
