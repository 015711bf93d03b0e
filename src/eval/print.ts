import { numberText } from './number.ts'
import { compareText, quote } from './text.ts'
import { describe, OptionalSecret, Secret, type Value } from './values.ts'

/**
 * A value as a literal of the language, formatted as `fmt` does it: one field a line, `=` aligned where fields stand on
 * neighbouring lines. Secrets, functions and other capsules print what they are, not what they hold.
 */
export function printValue(value: Value, indent = ''): string {
	switch (value.type) {
		case 'null':
			return 'null'
		case 'number':
			return numberText(value)
		case 'string':
			return quote(value.text)
		case 'bool':
			return String(value.data)
		case 'array':
			return `[${value.items.map((item) => printValue(item, indent)).join(', ')}]`
		case 'object':
			return printObject(value.fields, value.ordered, indent)
		case 'function':
			return 'function'
		case 'capsule':
			if (value.data instanceof Secret) return '(secret)'
			if (value.data instanceof OptionalSecret)
				return value.data.isSecret ? '(secret)' : quote(value.data.reveal())
			return describe(value)
	}
}

const identifier = /^[\p{L}_][\p{L}\p{Nd}_]*$/u
const keywords: ReadonlySet<string> = new Set(['true', 'false', 'null'])

export const isIdentifier = (text: string): boolean => identifier.test(text) && !keywords.has(text)

function printObject(fields: ReadonlyMap<string, Value>, ordered: boolean, indent: string): string {
	if (fields.size === 0) return '{}'
	const inner = `${indent}\t`
	const keys = ordered ? [...fields.keys()] : [...fields.keys()].sort(compareText)
	const rows = keys.map((key) => ({
		// Alloy's formatter escapes the escapes of a quoted key once more.
		key: isIdentifier(key) ? key : quote(quote(key).slice(1, -1)),
		text: printValue(fields.get(key)!, inner),
	}))
	let out = '{\n'
	for (let from = 0; from < rows.length; ) {
		// A value of several lines joins the run above it and ends it.
		let to = from
		while (to < rows.length - 1 && !rows[to]!.text.includes('\n')) to++
		const run = rows.slice(from, to + 1)
		const width = Math.max(...run.map((row) => [...row.key].length))
		for (const row of run)
			out += `${inner}${row.key}${' '.repeat(width - [...row.key].length)} = ${row.text},\n`
		from = to + 1
	}
	return `${out}${indent}}`
}
