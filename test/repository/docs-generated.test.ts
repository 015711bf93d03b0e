import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createComponentRegistry } from '../../src/components/registry.ts'
import { createServices } from '../../src/components/services.ts'
import type { Fields } from '../../src/eval/args.ts'
import { createStdlib, deprecatedNames } from '../../src/eval/stdlib/index.ts'
import { configBlocks, serviceBlocks } from '../../src/graph/config-blocks.ts'
import { componentPages } from '../../src/lsp/component-page.ts'
import { STDLIB_DOCS } from '../../src/lsp/stdlib-docs.ts'
import { root, textOf } from './files.ts'

const registry = createComponentRegistry(
	createServices({
		version: '',
		source: undefined,
		tap: undefined,
		resourceOf() {
			throw new Error('nothing runs here')
		},
	}),
)

test('docs/components is what the components say (else: npm run build:ts && node scripts/gen-docs.mjs)', () => {
	const pages = componentPages(registry)
	expect(readdirSync(join(root, 'docs/components')).sort()).toEqual([...pages.keys()].sort())
	for (const [name, text] of pages) expect(textOf(`docs/components/${name}`), name).toBe(text)
})

test('every argument of every component stands on its page', () => {
	const names = (fields: Fields): string[] =>
		Object.entries(fields).flatMap(([name, field]) => [
			...(field.kind === 'label' ? [] : [name]),
			...('schema' in field && field.info.notYet !== true ? names(field.schema.fields) : []),
		])
	for (const { name, args, exports, metadata } of registry.list()) {
		const page = textOf(`docs/components/${name}.md`)
		expect(page).toContain(metadata.summary)
		for (const one of [...names(args.fields), ...Object.keys(exports.fields)])
			expect(page, `${name}: ${one}`).toMatch(new RegExp(`[\`> ]${one}\``))
	}
	const blocks = textOf('docs/components/blocks.md')
	for (const name of [...serviceBlocks.keys(), ...configBlocks.keys()])
		expect(blocks).toContain(`## \`${name}\``)
})

test('the editor documents the whole standard library and nothing else', () => {
	const names = [...createStdlib({})].flatMap(([name, value]) =>
		value.type === 'object' ? [...value.fields.keys()].map((field) => `${name}.${field}`) : [name],
	)
	const current = names.filter((name) => !deprecatedNames.has(name))
	expect(Object.keys(STDLIB_DOCS).sort()).toEqual([...current, 'module_path'].sort())
})
