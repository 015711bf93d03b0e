import { createHash } from 'node:crypto'

export const relabelActions = [
	'replace',
	'keep',
	'drop',
	'hashmod',
	'labelmap',
	'labeldrop',
	'labelkeep',
	'lowercase',
	'uppercase',
	'keepequal',
	'dropequal',
] as const

export interface RelabelRule {
	readonly source_labels: readonly string[]
	readonly separator: string
	readonly regex: string
	readonly modulus: number
	readonly target_label: string
	readonly replacement: string
	readonly action: (typeof relabelActions)[number]
}

export type Labels = Readonly<Record<string, string>>

/** The labels after the rule; undefined = the target is dropped. */
export type CompiledRule = (labels: Map<string, string>) => boolean

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** One rule with Prometheus' semantics (relabel.go): the regex is anchored, `$1` and `${1}` and names expand. */
export function compileRule(rule: RelabelRule): CompiledRule {
	const { action, replacement, target_label: target } = rule
	const regex = anchored(rule.regex)
	const needsTarget = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal']
	if (needsTarget.includes(action) && target === '')
		throw new Error(`relabel configuration for ${action} action requires 'target_label' value`)
	if (action === 'hashmod' && rule.modulus === 0)
		throw new Error('relabel configuration for hashmod requires non-zero modulus')
	if (target !== '' && !target.includes('$') && !labelName.test(target))
		throw new Error(`"${target}" is invalid 'target_label' for ${action} action`)
	const value = (labels: Map<string, string>) =>
		rule.source_labels.map((name) => labels.get(name) ?? '').join(rule.separator)
	const put = (labels: Map<string, string>, name: string, text: string) => {
		if (text === '') labels.delete(name)
		else labels.set(name, text)
	}
	switch (action) {
		case 'keep':
			return (labels) => regex.test(value(labels))
		case 'drop':
			return (labels) => !regex.test(value(labels))
		case 'keepequal':
			return (labels) => (labels.get(target) ?? '') === value(labels)
		case 'dropequal':
			return (labels) => (labels.get(target) ?? '') !== value(labels)
		case 'replace':
			return (labels) => {
				const match = regex.exec(value(labels))
				if (match === null) return true
				const name = expand(target, match)
				if (labelName.test(name)) put(labels, name, expand(replacement, match))
				return true
			}
		case 'lowercase':
			return (labels) => {
				put(labels, target, value(labels).toLowerCase())
				return true
			}
		case 'uppercase':
			return (labels) => {
				put(labels, target, value(labels).toUpperCase())
				return true
			}
		case 'hashmod':
			return (labels) => {
				const digest = createHash('md5').update(value(labels)).digest()
				put(labels, target, String(digest.readBigUInt64BE(8) % BigInt(rule.modulus)))
				return true
			}
		case 'labelmap':
			return (labels) => {
				for (const [name, text] of [...labels]) {
					const match = regex.exec(name)
					if (match !== null) put(labels, expand(replacement, match), text)
				}
				return true
			}
		case 'labeldrop':
			return (labels) => {
				for (const name of [...labels.keys()]) if (regex.test(name)) labels.delete(name)
				return true
			}
		case 'labelkeep':
			return (labels) => {
				for (const name of [...labels.keys()]) if (!regex.test(name)) labels.delete(name)
				return true
			}
	}
}

/** The targets that are left, with their new labels. */
export function relabel(targets: readonly Labels[], rules: readonly CompiledRule[]): Labels[] {
	const out: Labels[] = []
	for (const target of targets) {
		const labels = new Map(Object.entries(target))
		if (rules.every((rule) => rule(labels)))
			out.push(Object.fromEntries([...labels].sort(([a], [b]) => (a < b ? -1 : 1))))
	}
	return out
}

/** RE2 as far as JavaScript's engine has it: `(?P<n>…)` is its named group; `(?i)` in front is its flag; `.` takes line feeds. */
function anchored(source: string): RegExp {
	let flags = 's'
	let body = source.replaceAll('(?P<', '(?<')
	const inline = /^\(\?([ims]+)\)/.exec(body)
	if (inline !== null) {
		body = body.slice(inline[0].length)
		for (const flag of inline[1] as string) if (!flags.includes(flag)) flags += flag
	}
	try {
		return new RegExp(`^(?:${body})$`, flags)
	} catch (reason) {
		throw new Error(`error parsing regexp: ${(reason as Error).message}`)
	}
}

/** Go's Regexp.Expand: `$name` takes the longest name, a group that does not exist is empty, `$$` is a dollar. */
function expand(template: string, match: RegExpExecArray): string {
	return template.replace(
		/\$(?:\$|\{(\w+)\}|(\w+))/g,
		(all, braced: string | undefined, plain: string | undefined) => {
			if (all === '$$') return '$'
			const name = (braced ?? plain) as string
			return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? ''
		},
	)
}
