import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { args } from '../../src/components/beyla/ebpf/args.ts'
import type { ArgsSchema } from '../../src/eval/args.ts'

const reference = fileURLToPath(new URL('../../../shared/reference/alloy-components.md', import.meta.url))
const present = existsSync(reference)
if (!present) console.warn('beyla: ../shared/reference is absent, the tree of arguments is not compared')

/** `path: kind`, one for every argument and block of Alloy's decoder. */
function wanted(): string[] {
	const text = readFileSync(reference, 'utf8')
	const tree = text.slice(text.indexOf('### beyla.ebpf — full accepted tree'))
	const out: string[] = []
	const path: string[] = []
	let selector: string[] = []
	for (const line of tree.split('\n')) {
		const match = /^( *)- `(\w+)` (\S+)(.*)$/.exec(line)
		if (match === null) continue
		const [, indent, name, type, rest] = match as unknown as [string, string, string, string, string]
		path.length = indent.length / 2
		path.push(name)
		const kind = type === 'block' ? 'block' : type === 'block*' ? 'blocks' : 'attr'
		out.push(`${path.join('.')}: ${kind}`)
		const inside = 'discovery.default_exclude_instrument.'
		if (path.join('.').startsWith(inside))
			selector = [...selector, `${path.join('.').slice(inside.length)}: ${kind}`]
		if (rest.includes('fields as `default_exclude_instrument`'))
			out.push(...selector.map((one) => `${path.join('.')}.${one}`))
	}
	return [...out, 'output.traces: attr', 'output.metrics: attr', 'output.logs: attr'].sort()
}

function known(schema: ArgsSchema<unknown>, path = ''): string[] {
	return Object.entries(schema.fields).flatMap(([name, field]) => {
		const kind = field.kind === 'optional-block' ? 'block' : field.kind
		const here = `${path}${name}: ${kind}`
		return 'schema' in field ? [here, ...known(field.schema, `${path}${name}.`)] : [here]
	})
}

it.skipIf(!present)('beyla.ebpf knows every argument of Alloy and no other', () => {
	const tree = wanted()
	expect(tree.length).toBeGreaterThan(300)
	expect(known(args).sort()).toEqual(tree)
})
