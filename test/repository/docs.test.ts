import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/index.ts'
import { createComponentRegistry } from '../../src/components/registry.ts'
import { createServices } from '../../src/components/services.ts'
import { validateConfiguration } from '../../src/graph/validate.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { formatSource } from '../../src/syntax/printer.ts'
import { root, textOf, trackedFiles } from './files.ts'

const pages = trackedFiles('*.md').filter((path) => !path.startsWith('test/'))
const npmScripts = Object.keys((JSON.parse(textOf('package.json')) as { scripts: object }).scripts)

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

/** What `vor validate --explain` says of a pipeline, advice and warnings included. */
async function complaints(name: string, text: string): Promise<string[]> {
	const source = { path: name, files: [{ name, text }] }
	const { problems, warnings } = await validateConfiguration(source, {
		registry,
		stability: 'experimental',
		env: {},
	})
	return [...problems, ...warnings].map(formatDiagnostic)
}

function blocks(page: string, language: string): string[] {
	const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
	return [...textOf(page).matchAll(pattern)].map((match) => match[1]!)
}

describe.each(pages)('%s', (page) => {
	test('its pipeline snippets parse and are formatted', () => {
		for (const text of blocks(page, 'alloy')) {
			const formatted = formatSource(page, text)
			expect(formatted.diagnostics.map(formatDiagnostic)).toEqual([])
			expect(formatted.text).toBe(text)
		}
	})

	test('its pipeline snippets are valid, without a warning', async () => {
		for (const text of blocks(page, 'alloy')) expect(await complaints(page, text)).toEqual([])
	})

	test('its commands exist', () => {
		const code = textOf(page).match(/```[\s\S]*?```|`[^`\n]+`/g) ?? []
		for (const text of code) {
			for (const match of text.matchAll(/\bnpm run ([\w:-]+)/g)) expect(npmScripts).toContain(match[1])
			for (const match of text.matchAll(/(?:^|[`$] ?|\n)(?:sudo )?(?:vor|node dist\/main\.js) ([a-z]+)\b/g)) {
				expect([...commands.map((command) => command.name), 'help']).toContain(match[1])
			}
		}
	})

	test('its links into the repository lead somewhere', () => {
		for (const match of textOf(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
			expect(existsSync(join(root, dirname(page), match[1]!)), `${page} links ${match[1]}`).toBe(true)
		}
	})
})

test('the check of the snippets sees a bad one', async () => {
	expect(await complaints('x', 'beyla.ebpf "x" {\n\tnothing = 1\n}\n')).toHaveLength(1)
})

describe.each(trackedFiles('*.alloy').filter((path) => /^(pipelines|demo)\//.test(path)))('%s', (file) => {
	test('is formatted and valid, without a warning', async () => {
		const text = textOf(file)
		expect(formatSource(file, text).text).toBe(text)
		expect(await complaints(file, text)).toEqual([])
	})
})

test('every command of the command line is in the README', () => {
	for (const { name } of commands) expect(textOf('README.md')).toContain(`vor ${name}`)
})
