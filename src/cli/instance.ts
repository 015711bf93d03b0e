import { readFileSync } from 'node:fs'
import { formatHostPort, parseListenAddress } from '../server/listen-address.ts'
import { VorError } from '../util/errors.ts'

export const defaultAddress = '127.0.0.1:12345'

/** Where a running Vör is asked, and as whom. */
export interface Instance {
	/** Without a slash at its end. */
	readonly url: string
	/** The user named a place: that nothing answers there is an error. */
	readonly named: boolean
	readonly login: { readonly user: string; readonly password: string } | undefined
	/** Texts of files; undefined: what Node trusts, and no certificate of our own. */
	readonly ca: string | undefined
	readonly cert: string | undefined
	readonly key: string | undefined
	readonly verify: boolean
}

/** For `parseArgs`: the flags of every command that asks a running Vör. */
export const instanceFlags = {
	address: { type: 'string' },
	url: { type: 'string' },
	user: { type: 'string' },
	'password-file': { type: 'string' },
	'ca-file': { type: 'string' },
	'cert-file': { type: 'string' },
	'key-file': { type: 'string' },
	'insecure-skip-verify': { type: 'boolean', default: false },
} as const

type FlagName = Exclude<keyof typeof instanceFlags, 'insecure-skip-verify'>
export type InstanceFlags = Partial<Record<FlagName, string>> & { readonly 'insecure-skip-verify': boolean }

/** A word in a process list is no place for a password. */
const passwordVariable = 'VOR_HTTP_PASSWORD'

export const instanceUsage = `Of a Vör that is protected by the http block of its file:
  --url                    its address with scheme, instead of --address: https://HOST:PORT
  --user                   name for basic authentication; its password is in ${passwordVariable}, or in
  --password-file          the first line of this file
  --ca-file                certificates (PEM) that its own must be signed by, instead of the system's
  --cert-file, --key-file  certificate and key (PEM) to show it, where it asks for one
  --insecure-skip-verify   whatever certificate it has`

/** Reads the flags and the files they name. Throws E_USAGE or E_FILE. */
export function instanceOf(flags: InstanceFlags, env: NodeJS.ProcessEnv): Instance {
	const { address, url, user } = flags
	if (address !== undefined && url !== undefined)
		throw new VorError('E_USAGE', '--address and --url both say where Vör listens', { fix: 'leave one out' })
	if ((flags['cert-file'] === undefined) !== (flags['key-file'] === undefined))
		throw new VorError('E_USAGE', '--cert-file and --key-file belong together', { fix: 'give both' })
	if (user === undefined && flags['password-file'] !== undefined)
		throw new VorError('E_USAGE', '--password-file needs the --user whose password it holds', {
			fix: '--user=NAME',
		})
	const base = url === undefined ? urlOf(address ?? defaultAddress) : checkedUrl(url)
	const tlsOnly = (['ca-file', 'cert-file'] as const).find((name) => flags[name] !== undefined)
	const noTls = tlsOnly ?? (flags['insecure-skip-verify'] ? 'insecure-skip-verify' : undefined)
	if (noTls !== undefined && !base.startsWith('https:'))
		throw new VorError('E_USAGE', `--${noTls} is about TLS, and ${base} has none`, {
			fix: `--url=${base.replace(/^http:/, 'https:')}`,
		})
	return {
		url: base,
		named: address !== undefined || url !== undefined,
		login: user === undefined ? undefined : { user, password: passwordOf(user, flags['password-file'], env) },
		ca: pemOf('ca-file', flags),
		cert: pemOf('cert-file', flags),
		key: pemOf('key-file', flags),
		verify: !flags['insecure-skip-verify'],
	}
}

function urlOf(address: string): string {
	try {
		const { host, port } = parseListenAddress(address)
		return `http://${formatHostPort(host === '' || host === '0.0.0.0' ? '127.0.0.1' : host, port)}`
	} catch {
		// Where a URL was meant, a password may stand in it.
		const shown = address.replace(/^(\w+:\/\/)?[^/]*@/, '$1')
		throw new VorError('E_USAGE', `--address is ${JSON.stringify(shown)}, expected HOST:PORT`, {
			fix: /^https?:/.test(address) ? `--url=${shown}` : `--address=${defaultAddress}`,
		})
	}
}

function checkedUrl(text: string): string {
	const url = URL.canParse(text) ? new URL(text) : undefined
	// What is wrong may hold a password: it is not repeated.
	if (url !== undefined && (url.username !== '' || url.password !== ''))
		throw new VorError('E_USAGE', '--url holds a user or password, which every process list would show', {
			fix: `--user=NAME, and the password in --password-file or ${passwordVariable}`,
		})
	if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
		throw new VorError('E_USAGE', '--url is no address of a Vör, expected https://HOST:PORT', {
			fix: `--url=http://${defaultAddress}`,
		})
	return url.href.replace(/\/+$/, '')
}

function passwordOf(user: string, file: string | undefined, env: NodeJS.ProcessEnv): string {
	if (user.includes(':'))
		throw new VorError('E_USAGE', '--user must not contain ":"', {
			fix: `--user=NAME, and the password in --password-file or ${passwordVariable}`,
		})
	// As `password-file` of curl and others: the line end that editors add is no part of it.
	if (file !== undefined) return textOf('password-file', file).split(/\r?\n/, 1)[0]!
	const password = env[passwordVariable]
	if (password !== undefined) return password
	throw new VorError('E_USAGE', `--user=${user} needs a password`, {
		fix: `--password-file=FILE, or set ${passwordVariable}`,
	})
}

function pemOf(flag: 'ca-file' | 'cert-file' | 'key-file', flags: InstanceFlags): string | undefined {
	const path = flags[flag]
	if (path === undefined) return undefined
	const text = textOf(flag, path)
	if (!text.includes('-----BEGIN '))
		throw new VorError('E_FILE', `--${flag}: ${path} is not in PEM form`, {
			fix: 'a file with -----BEGIN … lines; openssl x509 -in FILE -inform der makes one of a DER certificate',
		})
	return text
}

function textOf(flag: string, path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (reason) {
		throw new VorError('E_FILE', `--${flag}: ${(reason as Error).message}`, { cause: reason })
	}
}
