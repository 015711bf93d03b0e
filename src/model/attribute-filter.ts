import type { AttributeKey, AttributeList, AttributeValue } from './attributes.ts'

/** Gives the attributes that stay. */
export type AttributeFilter = (attributes: AttributeList) => AttributeList

export const keepAll: AttributeFilter = (attributes) => attributes

export interface AttributeSelection {
	/** Attribute names or globs (`*`, `?`), dots or underscores. Empty = all. */
	readonly include: readonly string[]
	readonly exclude: readonly string[]
}

/** `attributes { select { attr = "traces" … } }`: first include, then exclude. Decided once per key. */
export function createAttributeFilter(selection: AttributeSelection): AttributeFilter {
	if (selection.include.length === 0 && selection.exclude.length === 0) return keepAll
	const stays = createAttributeDecision(selection)
	return (attributes) => {
		const kept: AttributeList = []
		for (let i = 0; i < attributes.length; i += 2) {
			const key = attributes[i] as AttributeKey
			if (stays(key)) kept.push(key, attributes[i + 1] as AttributeValue)
		}
		return kept
	}
}

/** Is this attribute selected? */
export function createAttributeDecision({
	include,
	exclude,
}: AttributeSelection): (key: AttributeKey) => boolean {
	const included = include.map(globOf)
	const excluded = exclude.map(globOf)
	const decisions = new Map<AttributeKey, boolean>()
	return (key) => {
		let decision = decisions.get(key)
		if (decision === undefined) {
			const name = key.name.replaceAll('.', '_')
			decision =
				(included.length === 0 || included.some((glob) => glob.test(name))) &&
				!excluded.some((glob) => glob.test(name))
			decisions.set(key, decision)
		}
		return decision
	}
}

function globOf(pattern: string): RegExp {
	const body = pattern
		.replaceAll('.', '_')
		.replace(/[\\^$+()[\]{}|]/g, '\\$&')
		.replaceAll('*', '.*')
		.replaceAll('?', '.')
	return new RegExp(`^${body}$`)
}
