import { stat } from 'node:fs/promises'
import { createComponentRegistry } from '../components/registry.ts'
import { createServices } from '../components/services.ts'
import type { Stability } from '../graph/component.ts'
import { systemText } from '../graph/fetcher.ts'
import type { Registry } from '../graph/registry.ts'
import { stabilityLevels } from '../graph/stability.ts'
import { validateConfiguration } from '../graph/validate.ts'
import { diagnosticsToJson, renderDiagnostics } from '../syntax/render.ts'
import type { Source } from '../syntax/source.ts'
import { didYouMean } from '../util/did-you-mean.ts'
import { VorError } from '../util/errors.ts'
import type { CliCommand, CliIo } from './command.ts'
import { readConfiguration } from './read-configuration.ts'

interface Flags {
	stability: Stability
	explain: boolean
	json: boolean
	path: string
}

/** What ends the command with exit code 1 and `Error: …`, in Alloy's words. */
class ValidateError extends Error {
	/** The flag that was probably meant. */
	readonly near: string | undefined
	constructor(message: string, near?: string) {
		super(message)
		this.near = near
	}
}

export const command: CliCommand = {
	name: 'validate',
	summary: 'Check a pipeline file without running it',
	usage: `vor validate [flags] PATH

Checks PATH (a file, or a folder of .alloy files) and everything that can be known without running it. Silent when it
is valid. No network is opened; of the file system only the configuration and its modules are read.

      --stability.level LEVEL   least settled kind of component allowed (default generally-available)
      --feature.community-components.enabled   accepted for compatibility
      --config.format FORMAT    only alloy is supported
      --explain                 show advice and warnings that Alloy does not have (always on a terminal)
      --json                    print everything found as JSON on standard output
`,
	run: (argv, io) => runValidate(argv, io, knownComponents),
}

/** Definitions want their services although nothing is built. */
const checkServices = (): ReturnType<typeof createServices> =>
	createServices({
		version: '',
		resourceOf: () => {
			throw new Error('nothing runs while a file is checked')
		},
		source: undefined,
		tap: undefined,
	})

/** The components that Vör has. */
export const knownComponents = (): Registry => createComponentRegistry(checkServices())

/** The command, with the components it knows as a parameter. */
export async function runValidate(
	argv: readonly string[],
	io: CliIo,
	registry: () => Registry,
): Promise<number> {
	try {
		return await validate(parseFlags(argv), io, registry())
	} catch (reason) {
		if (!(reason instanceof ValidateError || reason instanceof VorError)) throw reason
		await print(io.stderr, `Error: ${reason.message}\n`)
		const near = reason instanceof ValidateError ? reason.near : undefined
		// Off a terminal the output is Alloy's.
		if (near !== undefined && (io.isTty || argv.includes('--explain')))
			await print(io.stderr, `  = help: did you mean --${near}?\n`)
		return 1
	}
}

async function validate(flags: Flags, io: CliIo, registry: Registry): Promise<number> {
	await stat(flags.path).catch((reason: unknown) => {
		throw new ValidateError(`stat ${flags.path}: ${systemText(reason)}`)
	})
	const source = await readConfiguration(flags.path)
	const { problems, warnings, sources, moduleTexts } = await validateConfiguration(source, {
		registry,
		stability: flags.stability,
		env: io.env,
	})
	const explain = flags.explain || io.isTty
	if (flags.json) {
		await print(io.stdout, `${JSON.stringify(diagnosticsToJson([...problems, ...warnings]))}\n`)
		return problems.length > 0 ? 1 : 0
	}
	const shown = explain ? [...problems, ...warnings] : problems
	if (shown.length > 0)
		await print(
			io.stderr,
			renderDiagnostics(
				shown,
				explain ? new Map<string, string | Source>([...sources, ...moduleTexts]) : sources,
				{
					color: io.isTty,
					explain,
				},
			),
		)
	if (problems.length === 0) return 0
	await print(io.stdout, '\n')
	throw new ValidateError('validation failed')
}

const print = (stream: NodeJS.WritableStream, text: string): Promise<void> =>
	new Promise((done) => void stream.write(text, () => done()))

const valued = new Set(['stability.level', 'config.format', 'config.extra-args'])
const switches = new Set([
	'feature.community-components.enabled',
	'config.bypass-conversion-errors',
	'explain',
	'json',
])

/** Flags and messages as the command-line library of Alloy has them. */
function parseFlags(argv: readonly string[]): Flags {
	const flags: Flags = { stability: 'generally-available', explain: false, json: false, path: '' }
	const paths: string[] = []
	const words = [...argv]
	for (let word = words.shift(); word !== undefined; word = words.shift()) {
		if (word === '--') {
			paths.push(...words.splice(0))
			break
		}
		if (!word.startsWith('-') || word === '-') {
			paths.push(word)
			continue
		}
		if (!word.startsWith('--')) throw new ValidateError(`unknown shorthand flag: '${word[1]}' in ${word}`)
		const equals = word.indexOf('=')
		const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
		const given = equals < 0 ? undefined : word.slice(equals + 1)
		if (valued.has(name)) {
			const value = given ?? words.shift()
			if (value === undefined) throw new ValidateError(`flag needs an argument: --${name}`)
			setValue(flags, name, value)
		} else if (switches.has(name)) {
			const on = given === undefined || given === 'true' || given === '1'
			if (name === 'explain' || name === 'json') flags[name] = on
		} else {
			const near = didYouMean(name, [...valued, ...switches])
			throw new ValidateError(`unknown flag: --${name}`, near)
		}
	}
	if (paths.length !== 1) throw new ValidateError(`accepts 1 arg(s), received ${paths.length}`)
	flags.path = paths[0]!
	return flags
}

function setValue(flags: Flags, name: string, value: string): void {
	if (name === 'config.format' && value !== 'alloy')
		throw new ValidateError(`unsupported config format "${value}": Vör reads alloy files`)
	if (name !== 'stability.level') return
	const level = stabilityLevels.find((one) => one === value)
	if (level === undefined)
		throw new ValidateError(
			`invalid argument "${value}" for "--stability.level" flag: invalid stability level "${value}", must be one of: ${stabilityLevels.join(', ')}`,
		)
	flags.stability = level
}
