import { didYouMean } from '../util/did-you-mean.ts'
import { VorError } from '../util/errors.ts'
import type { CliCommand } from './command.ts'

/** `vor tools <name>`; one line a tool. */
const tools = [
	{
		name: 'eval',
		summary: 'Print the value of an expression',
		load: async () => (await import('./eval.ts')).command,
	},
]

export const command: CliCommand = {
	name: 'tools',
	summary: 'Small helpers for operators.',
	usage: `vor tools TOOL [ARGUMENTS]

${tools.map(({ name, summary }) => `  ${name}  ${summary}`).join('\n')}`,
	async run(argv, io) {
		const [word, ...rest] = argv
		const tool = tools.find(({ name }) => name === word)
		if (tool !== undefined) return (await tool.load()).run(rest, io)
		const near = didYouMean(
			word ?? '',
			tools.map(({ name }) => name),
		)
		throw new VorError('E_USAGE', word === undefined ? 'no tool is named' : `unknown tool "${word}"`, {
			fix: near === undefined ? 'vor tools --help lists them' : `vor tools ${near}`,
		})
	},
}
