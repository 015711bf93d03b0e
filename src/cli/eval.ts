import { evaluateText } from '../eval/evaluate-text.ts'
import { printValue } from '../eval/print.ts'
import { createStdlib, stdlibScope } from '../eval/stdlib/index.ts'
import type { CliCommand, CliIo } from './command.ts'

export const command: CliCommand = {
	name: 'eval',
	summary: 'Print the value of an expression',
	usage: `vor tools eval EXPR

Evaluates EXPR with the standard library and prints its value as a literal of the language. A secret prints as (secret).
`,
	async run(argv: readonly string[], io: CliIo): Promise<number> {
		const words = argv[0] === '--' ? argv.slice(1) : argv
		if (words.length !== 1) {
			io.stderr.write(`Error: accepts 1 arg(s), received ${words.length}\n`)
			return 1
		}
		const result = evaluateText(words[0]!, stdlibScope(createStdlib(io.env)))
		if (result.ok) {
			io.stdout.write(`${printValue(result.value)}\n`)
			return 0
		}
		io.stderr.write(`Error: ${result.error}\n`)
		return 1
	},
}
