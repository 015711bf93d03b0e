import { didYouMean } from '../util/did-you-mean.ts'
import { VorError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import type { CliIo } from './command.ts'
import { type CommandEntry, commands } from './index.ts'

/** Runs `vor <argv>`; resolves to the exit code: 0, or 1 for any failure, usage errors too (as Alloy). */
export async function dispatch(
	argv: readonly string[],
	io: CliIo,
	table: readonly CommandEntry[] = commands,
): Promise<number> {
	const [word, ...rest] = argv
	if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
		const topic = word === 'help' ? rest[0] : undefined
		if (topic !== undefined) return dispatch([topic, '--help'], io, table)
		io.stdout.write(overview(table))
		return word === undefined ? 1 : 0
	}
	if (word === '--version' || word === '-v' || word === 'version') {
		io.stdout.write(
			`vor, version v${version()} (node ${process.version}, ${process.platform}/${process.arch})\n`,
		)
		return 0
	}
	const entry = table.find((candidate) => candidate.name === word || candidate.aliases?.includes(word))
	if (entry === undefined) return fail(unknownCommand(word, table), io)
	try {
		const command = await entry.load()
		if (asksForHelp(rest)) {
			io.stdout.write(`${command.summary}\n\n${command.usage.trimEnd()}\n`)
			return 0
		}
		return await command.run(rest, io)
	} catch (reason) {
		return fail(reason, io, `vor ${entry.name} --help`)
	}
}

/** `error: …` and, where there is one, `fix: …` on stderr; a fault of our own also shows where it happened. */
export function fail(reason: unknown, io: CliIo, help = 'vor --help'): 1 {
	const parseArgs = parseArgsMessage(reason)
	const error =
		parseArgs === undefined
			? VorError.from(reason)
			: new VorError('E_USAGE', parseArgs, { fix: `${help} lists the flags and arguments` })
	io.stderr.write(`error: ${error.message}\n`)
	if (error.fix !== '') io.stderr.write(`fix: ${error.fix}\n`)
	if (error.code === 'E_INTERNAL' && reason instanceof Error && reason.stack !== undefined)
		io.stderr.write(`${reason.stack}\n`)
	return 1
}

function asksForHelp(argv: readonly string[]): boolean {
	for (const word of argv) {
		if (word === '--') return false
		if (word === '--help' || word === '-h') return true
	}
	return false
}

/** node:util parseArgs throws a TypeError with a code; its first sentence is fit for a user. */
function parseArgsMessage(reason: unknown): string | undefined {
	if (!(reason instanceof TypeError) || !('code' in reason)) return undefined
	return String(reason.code).startsWith('ERR_PARSE_ARGS') ? reason.message.split('. ')[0] : undefined
}

function unknownCommand(word: string, table: readonly CommandEntry[]): VorError {
	const near = didYouMean(
		word,
		table.map((entry) => entry.name),
	)
	const what = word.startsWith('-') ? 'flag' : 'command'
	const fix = near === undefined ? 'vor --help lists the commands' : `vor ${near}`
	const hint = near === undefined ? '' : `, did you mean "${near}"?`
	return new VorError('E_USAGE', `unknown ${what} "${word}"${hint}`, { fix })
}

function overview(table: readonly CommandEntry[]): string {
	const width = Math.max(...table.map((entry) => entry.name.length))
	const lines = table.map((entry) => `  ${entry.name.padEnd(width)}  ${entry.summary}`)
	return `Vör watches running programs through eBPF and exports OpenTelemetry traces and metrics.

Usage:
  vor COMMAND [ARGUMENTS]

Commands:
${lines.join('\n')}

  vor COMMAND --help  tells more about a command
  vor --version       prints the version
`
}
