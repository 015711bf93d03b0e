import { parseArgs } from 'node:util'
import { createConnection } from 'vscode-languageserver/node'
import { createComponentRegistry } from '../components/registry.ts'
import { createServices } from '../components/services.ts'
import { stabilityLevels } from '../graph/stability.ts'
import { serveLanguage } from '../lsp/server.ts'
import { VorError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import type { CliCommand } from './command.ts'

export const command: CliCommand = {
	name: 'lsp',
	summary: 'Serve an editor: diagnostics, completion, documentation, formatting',
	usage: `vor lsp [flags]

Speaks the language server protocol on standard input and output. Editors start it; docs/editor.md says how.

      --stability.level LEVEL   least settled kind of component allowed (default generally-available)
      --stdio                   accepted: it is the only way
`,
	async run(argv, io) {
		const { values } = parseArgs({
			args: [...argv],
			options: { 'stability.level': { type: 'string' }, stdio: { type: 'boolean' } },
		})
		const wanted = values['stability.level'] ?? 'generally-available'
		const stability = stabilityLevels.find((level) => level === wanted)
		if (stability === undefined)
			throw new VorError('E_USAGE', `unknown stability level "${wanted}"`, {
				fix: `one of ${stabilityLevels.join(', ')}`,
			})
		const services = createServices({
			version: version(),
			resourceOf() {
				throw new Error('nothing runs while a file is edited')
			},
			source: undefined,
			tap: undefined,
		})
		const connection = createConnection(process.stdin, io.stdout)
		serveLanguage(connection, {
			registry: createComponentRegistry(services),
			stability,
			env: io.env,
			version: version(),
		})
		// The library ends the process when the editor says so or hangs up.
		return new Promise<number>(() => {})
	},
}
