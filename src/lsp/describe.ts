import type { Field } from '../eval/args.ts'
import { printValue } from '../eval/print.ts'
import type { AnyDefinition } from '../graph/component.ts'

/** Markdown for a component. */
export function describeComponent({ name, stability, metadata, exports }: AnyDefinition): string {
	const gives = Object.entries(exports.fields).map(([field, type]) => `\`${field}\` (${type.text})`)
	return [
		`**${name}**${stability === 'generally-available' ? '' : ` · ${stability}`}`,
		metadata.summary,
		metadata.docs ?? '',
		gives.length > 0 ? `Exports: ${gives.join(', ')}` : '',
	]
		.filter((part) => part !== '')
		.join('\n\n')
}

/** `(string, required)` and the like. */
export function fieldFacts(field: Field): string {
	const facts: string[] = []
	switch (field.kind) {
		case 'attr':
			facts.push(field.type.text)
			break
		case 'blocks':
			facts.push('block, repeatable')
			break
		case 'map-block':
			facts.push(`block of ${field.type.text}`)
			break
		case 'label':
			return 'label'
		default:
			facts.push('block')
	}
	if (field.required) facts.push('required')
	const fallback = defaultText(field)
	if (fallback !== '') facts.push(`default ${fallback}`)
	return facts.join(', ')
}

/** Markdown for an argument or block. */
export function describeField(name: string, field: Field): string {
	const { doc, deprecated, notYet } = field.info
	const choices = field.kind === 'attr' ? (field.type.choices ?? field.type.element?.choices ?? []) : []
	return [
		`**${name}** (${fieldFacts(field)})`,
		doc ?? '',
		choices.length > 0 ? `One of ${choices.map((one) => `\`"${one}"\``).join(', ')}.` : '',
		deprecated === undefined ? '' : `*Deprecated:* ${deprecated}.`,
		notYet === true ? '*Known, but has no effect in Vör yet.*' : '',
	]
		.filter((part) => part !== '')
		.join('\n\n')
}

/** A default as it would be written, '' where it is the zero of its type or cannot be written. */
export function defaultText(field: Field): string {
	if (field.kind !== 'attr' || field.required) return ''
	if (JSON.stringify(field.default) === JSON.stringify(field.type.zero)) return ''
	return printValue(field.type.encode(field.default))
}
