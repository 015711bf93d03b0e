import { type CompletionItem, CompletionItemKind, InsertTextFormat, type Range } from 'vscode-languageserver'
import type { Field } from '../eval/args.ts'
import { deprecatedNames } from '../eval/stdlib/index.ts'
import type { Type } from '../eval/types.ts'
import type { Registry } from '../graph/registry.ts'
import {
	BLOCK_DOCS,
	bodyOf,
	capsuleOf,
	choicesOf,
	configBlockNames,
	declaresIn,
	fieldOf,
	isModule,
	isUnlabelled,
} from './catalog.ts'
import { describeComponent, describeField, fieldFacts } from './describe.ts'
import { type BlockNode, chainAt } from './outline.ts'
import { targetsFor } from './references.ts'
import { STDLIB_DOCS } from './stdlib-docs.ts'
import type { Text } from './text.ts'

export interface CompletionOptions {
	readonly registry: Registry
	/** The editor fills in placeholders. */
	readonly snippets: boolean
}

export function complete(text: Text, offset: number, options: CompletionOptions): CompletionItem[] {
	const place = text.outline.at(offset)
	const chain = chainAt(text.source, offset)
	// What is being typed is replaced as a whole, dots included; what follows the cursor stays.
	const range = text.range(chain?.start ?? offset, offset)
	switch (place.kind) {
		case 'nothing':
			return []
		case 'statement':
			if (!beginsStatement(text, chain?.start ?? offset)) return []
			return isModule(place.block)
				? moduleStatements(place.block, range, options)
				: fieldStatements(place.block, chain?.start ?? offset, range, options)
		case 'string': {
			const type = typeOf(place.block, place.attribute.name, options.registry)
			const inside = text.range(place.start, Math.max(offset, place.end))
			return (type === undefined ? [] : choicesOf(type)).map((choice) => ({
				label: choice,
				kind: CompletionItemKind.EnumMember,
				textEdit: { range: inside, newText: choice },
			}))
		}
		case 'value':
			return values(place.block, typeOf(place.block, place.attribute.name, options.registry), range, options)
	}
}

/** Nothing but an opening or closing brace stands before it on its line. */
function beginsStatement({ source }: Text, start: number): boolean {
	const line = source.bytes.slice(source.lineStarts[source.line(start) - 1], start).trimEnd()
	return line === '' || line.endsWith('{') || line.endsWith('}')
}

function typeOf(block: BlockNode, name: string, registry: Registry): Type<unknown> | undefined {
	const body = bodyOf(block, registry)
	const field = body.kind === 'fields' ? fieldOf(body.fields, name) : undefined
	return field?.kind === 'attr' ? field.type : undefined
}

const markdown = (value: string) => ({ kind: 'markdown' as const, value })

function moduleStatements(module: BlockNode, range: Range, options: CompletionOptions): CompletionItem[] {
	const { registry } = options
	const items: CompletionItem[] = []
	const add = (name: string, kind: CompletionItemKind, detail: string, documentation: string) =>
		items.push({
			label: name,
			kind,
			detail,
			documentation: markdown(documentation),
			...insertion(range, blockText(name, !isUnlabelled(name, registry), options.snippets), options),
		})
	for (const definition of registry.list())
		add(definition.name, CompletionItemKind.Class, definition.metadata.summary, describeComponent(definition))
	for (const name of configBlockNames(module))
		add(name, CompletionItemKind.Struct, BLOCK_DOCS[name] ?? '', BLOCK_DOCS[name] ?? '')
	for (const declare of declaresIn(module))
		add(declare.label, CompletionItemKind.Class, 'custom component', describeDeclare(declare))
	return items
}

export function describeDeclare(declare: BlockNode): string {
	const names = (kind: string) =>
		declare.blocks.filter((one) => one.name === kind).map((one) => `\`${one.label}\``)
	const list = (title: string, all: readonly string[]) =>
		all.length > 0 ? `\n\n${title}: ${all.join(', ')}` : ''
	return `**${declare.label}** · custom component${list('Arguments', names('argument'))}${list('Exports', names('export'))}`
}

function fieldStatements(
	block: BlockNode,
	typing: number,
	range: Range,
	options: CompletionOptions,
): CompletionItem[] {
	const body = bodyOf(block, options.registry)
	// What is being typed may itself look like an attribute already.
	const taken = new Set(
		[...block.attributes, ...block.blocks].filter((one) => one.start !== typing).map((one) => one.name),
	)
	if (body.kind === 'custom')
		return body.declare.blocks
			.filter((one) => one.name === 'argument' && !taken.has(one.label))
			.map((one) => ({
				label: one.label,
				kind: CompletionItemKind.Property,
				detail: 'argument',
				...insertion(range, `${one.label} = `, options),
			}))
	if (body.kind !== 'fields') return []
	const items = Object.entries(body.fields)
		.filter(([name, field]) => field.kind !== 'label' && (field.kind === 'blocks' || !taken.has(name)))
		.map(([name, field]) => fieldItem(name, field, range, options))
	if (block.name === 'foreach' && !taken.has('template'))
		items.push({
			label: 'template',
			kind: CompletionItemKind.Struct,
			detail: 'block, required',
			documentation: markdown(BLOCK_DOCS['template'] ?? ''),
			...insertion(range, blockText('template', false, options.snippets), options),
		})
	return items
}

function fieldItem(name: string, field: Field, range: Range, options: CompletionOptions): CompletionItem {
	const isBlock = field.kind !== 'attr'
	const wantsLabel =
		'schema' in field && Object.values(field.schema.fields).some((one) => one.kind === 'label')
	const { deprecated, notYet } = field.info
	return {
		label: name,
		kind: isBlock ? CompletionItemKind.Struct : CompletionItemKind.Property,
		detail: fieldFacts(field),
		documentation: markdown(describeField(name, field)),
		// Required ones first, then what works, then the rest.
		sortText: `${field.required ? 0 : deprecated !== undefined || notYet === true ? 2 : 1}${name}`,
		...(deprecated === undefined ? {} : { deprecated: true }),
		...insertion(range, isBlock ? blockText(name, wantsLabel, options.snippets) : `${name} = `, options),
	}
}

function values(
	block: BlockNode,
	type: Type<unknown> | undefined,
	range: Range,
	{ registry }: CompletionOptions,
): CompletionItem[] {
	const items: CompletionItem[] = []
	const add = (label: string, kind: CompletionItemKind, sort: number, more: Partial<CompletionItem> = {}) =>
		items.push({ label, kind, sortText: `${sort}${label}`, textEdit: { range, newText: label }, ...more })
	if (type !== undefined) {
		for (const choice of choicesOf(type)) add(`"${choice}"`, CompletionItemKind.EnumMember, 0)
		if (type.name === 'bool') for (const word of ['true', 'false']) add(word, CompletionItemKind.Keyword, 0)
	}
	const capsule = type === undefined ? undefined : capsuleOf(type)
	for (const target of targetsFor(block, registry)) {
		const name = target.field === '' ? target.id : `${target.id}.${target.field}`
		const fits = capsule !== undefined && target.type?.capsuleKind === capsule
		// Another kind of host value would be refused.
		if (capsule !== undefined && !fits && target.type?.capsuleKind !== undefined) continue
		add(name, CompletionItemKind.Reference, fits ? 0 : 1, {
			detail: target.type?.text ?? 'value',
			...(fits ? { preselect: true } : {}),
		})
	}
	for (const [name, { signature, doc }] of Object.entries(STDLIB_DOCS))
		add(name, signature.includes('(') ? CompletionItemKind.Function : CompletionItemKind.Constant, 2, {
			detail: signature,
			documentation: markdown(doc),
		})
	for (const [old, now] of deprecatedNames)
		add(old, CompletionItemKind.Function, 3, { detail: `deprecated: use ${now}`, deprecated: true })
	return items
}

function blockText(name: string, label: boolean, snippets: boolean): string {
	if (!snippets) return label ? `${name} "default" {` : `${name} {`
	// The editor indents what follows a line break as the line is.
	return label ? `${name} "\${1:default}" {\n\t$0\n}` : `${name} {\n\t$0\n}`
}

function insertion(range: Range, newText: string, { snippets }: CompletionOptions): Partial<CompletionItem> {
	return {
		textEdit: { range, newText },
		...(snippets && newText.includes('$0') ? { insertTextFormat: InsertTextFormat.Snippet } : {}),
	}
}
