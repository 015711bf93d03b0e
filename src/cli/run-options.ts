import convict from 'convict'
import type { Stability } from '../graph/component.ts'
import { VorError } from '../util/errors.ts'
import { readWords } from './alloy-flags.ts'

/** Flags of `vor run`, Alloy's where Alloy has them. Each also has an environment variable. */
const schema = {
	listen: {
		doc: 'Address of the HTTP server.',
		format: String,
		default: '127.0.0.1:12345',
		arg: 'server.http.listen-addr',
		env: 'VOR_HTTP_LISTEN_ADDR',
	},
	storagePath: {
		doc: 'Folder for state and the lock of this instance.',
		format: String,
		default: 'data-alloy/',
		arg: 'storage.path',
		env: 'VOR_STORAGE_PATH',
	},
	stability: {
		doc: 'Least settled kind of component that may be used.',
		format: ['generally-available', 'public-preview', 'experimental'],
		default: 'generally-available',
		arg: 'stability.level',
		env: 'VOR_STABILITY_LEVEL',
	},
	logLevel: {
		doc: 'debug, info, warn or error; the logging block of the file wins.',
		format: ['debug', 'info', 'warn', 'error'],
		default: 'info',
		arg: 'log.level',
		env: 'VOR_LOG_LEVEL',
	},
	shutdownSeconds: {
		doc: 'Longest time for detaching, draining and flushing at the end.',
		format: 'nat',
		default: 5,
		arg: 'shutdown.timeout-seconds',
		env: 'VOR_SHUTDOWN_SECONDS',
	},
} as const

export interface RunOptions {
	readonly path: string
	readonly listen: string
	readonly storagePath: string
	readonly stability: Stability
	readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
	readonly shutdownMs: number
}

/** Flags win over the environment, that over the defaults. Throws E_USAGE. */
export function parseRunOptions(argv: readonly string[], env: NodeJS.ProcessEnv): RunOptions {
	const { flags, positionals } = readWords(
		argv,
		Object.values(schema).map(({ arg }) => arg),
	)
	if (positionals.length !== 1) {
		throw new VorError('E_USAGE', `vor run takes one file or folder, got ${positionals.length}`, {
			fix: 'vor run pipelines/local.alloy',
		})
	}
	// convict lets the environment win over what is loaded, so a flag takes the place of its variable.
	const given = { ...env }
	for (const { arg, env: name } of Object.values(schema)) {
		const value = flags.get(arg)
		if (value !== undefined) given[name] = value
	}
	const config = convict(schema, { env: given, args: [] })
	try {
		config.validate({ allowed: 'strict' })
	} catch (reason) {
		throw new VorError('E_USAGE', asFlags((reason as Error).message), { fix: 'vor run --help' })
	}
	return {
		path: positionals[0] as string,
		listen: config.get('listen'),
		storagePath: config.get('storagePath'),
		stability: config.get('stability') as Stability,
		logLevel: config.get('logLevel') as RunOptions['logLevel'],
		shutdownMs: Number(config.get('shutdownSeconds')) * 1000,
	}
}

/** convict names its own keys; the user knows the flags. */
function asFlags(message: string): string {
	return message
		.split('\n')
		.map((line) => line.replace(/^\w+(?=: )/, (key) => `--${schema[key as keyof typeof schema]?.arg ?? key}`))
		.join('; ')
}

export function runUsage(): string {
	const lines = Object.values(schema).map(
		({ arg, env, default: value, doc }) => `  --${arg}=${value}\n        ${doc} (${env})`,
	)
	return `Usage:
  vor run [flags] PATH

  PATH is a file, or a folder of which all *.alloy files are taken together.

Flags:
${lines.join('\n')}
  --disable-reporting, --cluster.*, --config.*, --feature.* and the other flags of "alloy run"
        Accepted and without effect: Vör reports nothing to anybody and keeps no cluster.

SIGHUP or POST /-/reload reads the file again; SIGINT or SIGTERM detaches, drains, flushes and ends with exit code 0.`
}
