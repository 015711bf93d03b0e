import { join } from 'node:path'
import type { ImportRequest } from './import-source.ts'

type GitRequest = Extract<ImportRequest, { kind: 'import.git' }>

/** Files to be written into the folder of secrets, and the environment that tells git of them. */
export interface GitSettings {
	readonly files: readonly { readonly name: string; readonly text: string; readonly mode: number }[]
	readonly environment: Readonly<Record<string, string>>
}

/** Hands a credential to git when the server asks, from the environment of that one process. */
const credentialHelper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$VOR_GIT_USERNAME" "$VOR_GIT_PASSWORD"; }; f`

/** How git is told what the block says, without anything secret on a command line or in the clone's configuration. */
export function gitSettings(request: GitRequest, folder: string): GitSettings {
	const config: [name: string, value: string][] = []
	const files: { name: string; text: string; mode: number }[] = []
	const environment: Record<string, string> = {
		// Nobody is there to be asked, and messages are read by us.
		GIT_TERMINAL_PROMPT: '0',
		GIT_ASKPASS: '',
		LC_ALL: 'C',
	}
	const file = (name: string, text: string, mode = 0o600): string => {
		files.push({ name, text, mode })
		return join(folder, name)
	}
	const { auth, proxy, tls } = request
	if (auth?.kind === 'basic') {
		if (/[\n\0]/.test(auth.username + auth.password.reveal()))
			throw new Error('basic_auth must not contain line breaks')
		// Only for the server that was named: not for one that it redirects to.
		config.push(
			['credential.helper', ''],
			[`credential.${origin(request.repository)}.helper`, credentialHelper],
		)
		environment['VOR_GIT_USERNAME'] = auth.username
		environment['VOR_GIT_PASSWORD'] = auth.password.reveal()
	}
	if (auth?.kind === 'ssh') {
		const key = auth.key.reveal()
		const keyFile = key === '' ? auth.keyFile : file('key', key.endsWith('\n') ? key : `${key}\n`)
		const passphrase = auth.passphrase.reveal()
		const options = [
			'-l',
			quoted(auth.username),
			'-o',
			'IdentitiesOnly=yes',
			'-o',
			'StrictHostKeyChecking=yes',
		]
		options.push('-o', 'PreferredAuthentications=publickey')
		if (keyFile !== '') options.push('-i', quoted(keyFile))
		const known = process.env['SSH_KNOWN_HOSTS'] ?? ''
		if (known !== '') options.push('-o', quoted(`UserKnownHostsFile=${known.replaceAll(':', ' ')}`))
		if (passphrase === '') options.push('-o', 'BatchMode=yes')
		else {
			environment['SSH_ASKPASS'] = file('askpass', '#!/bin/sh\nprintf "%s\\n" "$VOR_SSH_PASSPHRASE"\n', 0o700)
			environment['SSH_ASKPASS_REQUIRE'] = 'force'
			environment['VOR_SSH_PASSPHRASE'] = passphrase
		}
		environment['GIT_SSH_COMMAND'] = `ssh ${options.join(' ')}`
		environment['GIT_SSH_VARIANT'] = 'ssh'
	}
	if (proxy.url !== '') config.push(['http.proxy', proxy.url])
	else if (!proxy.fromEnvironment)
		for (const name of proxyVariables) for (const each of [name, name.toLowerCase()]) environment[each] = ''
	if (proxy.except !== '') environment['NO_PROXY'] = environment['no_proxy'] = proxy.except
	if (tls.insecure_skip_verify) config.push(['http.sslVerify', 'false'])
	const pem = (name: string, text: string, path: string, setting: string): void => {
		const value = text === '' ? path : file(name, text)
		if (value !== '') config.push([setting, value])
	}
	pem('ca.pem', tls.ca_pem, tls.ca_file, 'http.sslCAInfo')
	pem('cert.pem', tls.cert_pem, tls.cert_file, 'http.sslCert')
	pem('key.pem', tls.key_pem.reveal(), tls.key_file, 'http.sslKey')
	environment['GIT_CONFIG_COUNT'] = String(config.length)
	config.forEach(([name, value], i) => {
		environment[`GIT_CONFIG_KEY_${i}`] = name
		environment[`GIT_CONFIG_VALUE_${i}`] = value
	})
	return { files, environment }
}

const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']

function origin(repository: string): string {
	try {
		const url = new URL(repository)
		return `${url.protocol}//${url.host}`
	} catch {
		throw new Error(`basic_auth needs a repository address that is a URL`)
	}
}

/** One word for the shell that git starts ssh with. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
