import { didYouMean } from '../util/did-you-mean.ts'
import { VorError } from '../util/errors.ts'

/** Flags of `alloy run` that mean nothing here: taken, so that a unit file can stay as it is. */
const switches = [
	'cluster.enable-tls',
	'cluster.enabled',
	'config.bypass-conversion-errors',
	'disable-reporting',
	'feature.community-components.enabled',
	'feature.prometheus.direct-fanout.enabled',
	'server.http.disable-support-bundle',
	'server.http.enable-graphql',
	'server.http.enable-graphql-playground',
	'server.http.enable-pprof',
] as const
const valued = [
	'cluster.advertise-address',
	'cluster.advertise-interfaces',
	'cluster.discover-peers',
	'cluster.join-addresses',
	'cluster.max-join-peers',
	'cluster.name',
	'cluster.node-name',
	'cluster.rejoin-interval',
	'cluster.tls-ca-path',
	'cluster.tls-cert-path',
	'cluster.tls-key-path',
	'cluster.tls-server-name',
	'cluster.wait-for-size',
	'cluster.wait-timeout',
	'config.extra-args',
	'config.format',
	'feature.component-shutdown-deadline',
	'feature.prometheus.metric-validation-scheme',
	'server.http.memory-addr',
	'server.http.ui-path-prefix',
] as const

/** As Go's strconv.ParseBool. */
const booleans = new Set(['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False'])

export interface Words {
	/** Value of each flag that was given; the last one wins. */
	readonly flags: ReadonlyMap<string, string>
	readonly positionals: readonly string[]
}

/**
 * The words of `vor run` as Alloy's command line reads them: `--flag value` and `--flag=value`, a switch alone is true, flags
 * anywhere, `--` ends them. `own` are the flags that take a value here. Throws E_USAGE with the flag that was probably meant.
 */
export function readWords(argv: readonly string[], own: readonly string[]): Words {
	const flags = new Map<string, string>()
	const positionals: string[] = []
	const takesValue = new Set<string>([...own, ...valued])
	const isSwitch = new Set<string>(switches)
	for (let at = 0; at < argv.length; at++) {
		const word = argv[at]!
		if (word === '--') {
			positionals.push(...argv.slice(at + 1))
			break
		}
		if (!word.startsWith('-') || word === '-') {
			positionals.push(word)
			continue
		}
		const equals = word.indexOf('=')
		const name = word.slice(2, equals < 0 ? undefined : equals)
		if (!word.startsWith('--') || !(takesValue.has(name) || isSwitch.has(name)))
			throw unknownFlag(word, name, [...takesValue, ...isSwitch])
		let value = equals < 0 ? undefined : word.slice(equals + 1)
		if (isSwitch.has(name)) {
			value ??= 'true'
			if (!booleans.has(value))
				throw new VorError(
					'E_USAGE',
					`invalid argument ${JSON.stringify(value)} for "--${name}" flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
					{ fix: `--${name}=true` },
				)
		} else if (value === undefined) {
			value = argv[++at]
			if (value === undefined)
				throw new VorError('E_USAGE', `flag needs an argument: --${name}`, { fix: 'vor run --help' })
		}
		flags.set(name, value)
	}
	const format = flags.get('config.format')
	if (format !== undefined && format !== 'alloy')
		throw new VorError('E_USAGE', `unsupported config format "${format}": Vör reads alloy files`, {
			fix: 'alloy convert makes one of it',
		})
	return { flags, positionals }
}

function unknownFlag(word: string, name: string, known: readonly string[]): VorError {
	if (!word.startsWith('--'))
		return new VorError('E_USAGE', `unknown shorthand flag: '${word[1]}' in ${word}`, {
			fix: 'vor run --help',
		})
	const near = didYouMean(name, known)
	const hint = near === undefined ? '' : `, did you mean --${near}?`
	return new VorError('E_USAGE', `unknown flag: --${name}${hint}`, {
		fix: near === undefined ? 'vor run --help' : `--${near}`,
	})
}
