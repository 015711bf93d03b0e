import type { Fields } from '../eval/args.ts'
import type { Attribute, Block, Body } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import type { AnyDefinition } from './component.ts'
import { configBlocks, idleBlocks, serviceBlocks } from './config-blocks.ts'
import { blockId, blockName, nameDiagnostic } from './node.ts'
import type { Registry } from './registry.ts'
import { resolveTraversal, traversalsOfBody } from './traversals.ts'

/** What Alloy accepts without a word and is probably not meant. */
export function lint(blocks: readonly Block[], registry: Registry): readonly Diagnostic[] {
	const out: Diagnostic[] = []
	const components = new Map<string, { readonly block: Block; readonly definition: AnyDefinition }>()
	for (const block of blocks) {
		const definition = registry.get(blockName(block))
		if (definition !== undefined) components.set(blockId(block), { block, definition })
	}
	const used = new Set<string>()
	for (const block of blocks)
		for (const traversal of traversalsOfBody(block.body)) {
			const target = resolveTraversal(traversal, (id) => components.has(id))
			if (target !== undefined && target !== blockId(block)) used.add(target)
		}
	out.push(...lintFields(blocks, registry))
	for (const block of blocks) {
		const component = components.get(blockId(block))
		if (component === undefined) continue
		const { definition } = component
		if (Object.keys(definition.exports.fields).includes('input') && !used.has(blockId(block)))
			out.push(warning(block, `nothing sends to ${blockId(block)}`))
		outputWarnings(block, definition, components, out)
		if (definition.name === 'prometheus.scrape') honorLabelsWarning(block, components, out)
	}
	return out
}

/** Only: deprecated names, and names without effect yet. */
export function lintFields(blocks: readonly Block[], registry: Registry): readonly Diagnostic[] {
	const out: Diagnostic[] = []
	for (const block of blocks) {
		const idle = idleBlocks.get(blockId(block))
		if (idle !== undefined) {
			out.push(warning(block, idle))
			continue
		}
		if (blockId(block) === 'tracing' && !hasAttribute(block, 'write_to'))
			out.push(warning(block, '"tracing" has no effect without write_to: there is nowhere to send traces'))
		const schema =
			registry.get(blockName(block))?.args ??
			serviceBlocks.get(blockId(block)) ??
			configBlocks.get(blockName(block))
		const fields = schema?.fields
		if (fields !== undefined) fieldWarnings(block.body, fields, out)
	}
	return out
}

const warning = (block: Block, message: string): Diagnostic => ({
	...nameDiagnostic(block, blockName(block).length, message),
	severity: 'warning',
})

const hasAttribute = (block: Block, name: string): boolean =>
	block.body.some((one) => one.kind === 'attribute' && one.name.name === name)

const attributeWarning = (attribute: Attribute | Block, message: string): Diagnostic => ({
	severity: 'warning',
	start: attribute.source.position(attribute.start),
	end: attribute.source.position(attribute.kind === 'block' ? attribute.lcurly : attribute.end),
	message,
})

/** Deprecated names, and names that are known from Alloy but have no effect here yet. */
function fieldWarnings(body: Body, fields: Fields, out: Diagnostic[]): void {
	for (const statement of body) {
		const name = statement.kind === 'attribute' ? statement.name.name : blockName(statement)
		const field = Object.hasOwn(fields, name) ? fields[name] : undefined
		if (field === undefined) continue
		if (field.info.deprecated !== undefined)
			out.push(attributeWarning(statement, `"${name}" is deprecated: ${field.info.deprecated}`))
		if (field.info.notYet === true)
			out.push(attributeWarning(statement, `"${name}" is known but has no effect in Vör yet`))
		else if (
			statement.kind === 'block' &&
			(field.kind === 'block' || field.kind === 'optional-block' || field.kind === 'blocks')
		)
			fieldWarnings(statement.body, field.schema.fields, out)
	}
}

/** A component whose output goes nowhere, or to something that does not take the signal. */
function outputWarnings(
	block: Block,
	definition: AnyDefinition,
	components: ReadonlyMap<string, { readonly definition: AnyDefinition }>,
	out: Diagnostic[],
): void {
	const field = definition.args.fields['output']
	if (field === undefined) return
	const output = block.body.find((one) => one.kind === 'block' && blockName(one) === 'output')
	const attributes = output?.kind === 'block' ? output.body.filter((one) => one.kind === 'attribute') : []
	const wired = attributes.filter((one) => one.value.kind !== 'array' || one.value.elements.length > 0)
	if (wired.length === 0 && field.required) {
		out.push(warning(block, `${blockId(block)} sends its output nowhere`))
		return
	}
	for (const attribute of wired) {
		const signal = attribute.name.name
		for (const traversal of traversalsOfBody([attribute])) {
			const target = resolveTraversal(traversal, (id) => components.has(id))
			const consumes = target === undefined ? undefined : components.get(target)!.definition.metadata.consumes
			if (consumes === undefined || consumes.length === 0 || consumes.includes(signal)) continue
			out.push(attributeWarning(attribute, `${target} does not take ${signal}: they would be dropped`))
		}
	}
}

/** The targets of `beyla.ebpf` carry job and instance of their own, which a scrape overwrites unless told not to. */
function honorLabelsWarning(
	block: Block,
	components: ReadonlyMap<string, { readonly definition: AnyDefinition }>,
	out: Diagnostic[],
): void {
	const scrapesBeyla = traversalsOfBody(block.body).some((traversal) => {
		const target = resolveTraversal(traversal, (id) => components.has(id))
		return target !== undefined && components.get(target)!.definition.name === 'beyla.ebpf'
	})
	if (scrapesBeyla && !hasAttribute(block, 'honor_labels'))
		out.push(
			warning(block, 'honor_labels = true is missing: job and instance of the targets would be overwritten'),
		)
}
