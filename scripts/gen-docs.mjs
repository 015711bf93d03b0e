// Writes docs/components from what the components say about themselves. Needs a build (npm run build:ts): run it after a
// change of arguments, exports or metadata; a test says when it was forgotten.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runScript, say } from './lib/report.mjs'

await runScript(async () => {
	const { componentPages } = await import('../dist/lsp/component-page.js')
	const { createComponentRegistry } = await import('../dist/components/registry.js')
	const { createServices } = await import('../dist/components/services.js')
	const services = createServices({
		version: '',
		resourceOf: () => undefined,
		source: undefined,
		tap: undefined,
	})
	const pages = componentPages(createComponentRegistry(services))
	const folder = join(root, 'docs/components')
	mkdirSync(folder, { recursive: true })
	for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(join(folder, name))
	for (const [name, text] of pages) writeFileSync(join(folder, name), text)
	say(`${pages.size} pages in docs/components`)
})
