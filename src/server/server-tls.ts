import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { VorError } from '../util/errors.ts'

/** What the `http` block's `tls` says, secrets already taken out of their wrapping. Alloy's names. */
export interface ServerTlsSettings {
	readonly certPem: string
	readonly certFile: string
	readonly keyPem: string
	readonly keyFile: string
	readonly clientCaPem: string
	readonly clientCaFile: string
	readonly clientAuthType: string
	readonly cipherSuites: readonly string[]
	readonly curvePreferences: readonly string[]
	readonly minVersion: string
	readonly maxVersion: string
}

const versions: Readonly<Record<string, NonNullable<SecureContextOptions['minVersion']>>> = {
	TLS10: 'TLSv1',
	TLS11: 'TLSv1.1',
	TLS12: 'TLSv1.2',
	TLS13: 'TLSv1.3',
}

/** Go's client authentication types: whether a certificate is asked for, and whether one that does not verify is refused. */
const clientAuth: Readonly<Record<string, Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized'>>> = {
	NoClientCert: { requestCert: false },
	RequestClientCert: { requestCert: true, rejectUnauthorized: false },
	RequireAndVerifyClientCert: { requestCert: true, rejectUnauthorized: true },
}

const curves: Readonly<Record<string, string>> = {
	CurveP256: 'P-256',
	CurveP384: 'P-384',
	CurveP521: 'P-521',
	X25519: 'X25519',
}

/** Options of a TLS server, checked: files are read, key and certificate fit. Throws E_CONFIG or E_FILE. */
export function serverTlsOptions(settings: ServerTlsSettings): TlsOptions {
	const { clientAuthType } = settings
	const auth = clientAuth[clientAuthType]
	if (auth === undefined) {
		throw new VorError('E_CONFIG', `http tls: unsupported client_auth_type "${clientAuthType}"`, {
			fix: `use one of ${Object.keys(clientAuth).join(', ')}`,
		})
	}
	const ca = pemOf('client_ca', settings.clientCaPem, settings.clientCaFile)
	const options: TlsOptions = {
		cert: required('cert', pemOf('cert', settings.certPem, settings.certFile)),
		key: required('key', pemOf('key', settings.keyPem, settings.keyFile)),
		minVersion: versionOf('min_version', settings.minVersion, 'TLSv1.2'),
		maxVersion: versionOf('max_version', settings.maxVersion, 'TLSv1.3'),
		...auth,
		...(ca === '' ? {} : { ca }),
		...(settings.cipherSuites.length === 0
			? {}
			: { ciphers: settings.cipherSuites.map(openSslName).join(':') }),
		...(settings.curvePreferences.length === 0
			? {}
			: { ecdhCurve: settings.curvePreferences.map((name) => curves[name] ?? name).join(':') }),
	}
	try {
		createSecureContext(options)
	} catch (reason) {
		throw new VorError('E_CONFIG', `http tls: ${(reason as Error).message}`, { cause: reason })
	}
	return options
}

function pemOf(name: string, pem: string, file: string): string {
	if (pem !== '' && file !== '') {
		throw new VorError('E_CONFIG', `http tls: at most one of ${name}_pem and ${name}_file may be set`)
	}
	if (file === '') return pem
	try {
		return readFileSync(file, 'utf8')
	} catch (reason) {
		throw new VorError('E_FILE', `http tls: ${name}_file: ${(reason as Error).message}`, { cause: reason })
	}
}

function required(name: string, pem: string): string {
	if (pem === '') throw new VorError('E_CONFIG', `http tls: one of ${name}_pem and ${name}_file is needed`)
	return pem
}

function versionOf<T>(name: string, text: string, otherwise: T) {
	if (text === '') return otherwise
	const version = versions[text]
	if (version !== undefined) return version
	throw new VorError('E_CONFIG', `http tls: unknown ${name} "${text}"`, {
		fix: `use one of ${Object.keys(versions).join(', ')}`,
	})
}

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` as OpenSSL writes it; its own names pass. */
function openSslName(name: string): string {
	const match = /^TLS_(ECDHE)_(RSA|ECDSA)_WITH_(AES)_(128|256)_(GCM)_(SHA\d+)$/.exec(name)
	if (match !== null) return `${match[1]}-${match[2]}-${match[3]}${match[4]}-${match[5]}-${match[6]}`
	const chacha = /^TLS_(ECDHE)_(RSA|ECDSA)_WITH_CHACHA20_POLY1305(_SHA256)?$/.exec(name)
	return chacha === null ? name : `${chacha[1]}-${chacha[2]}-CHACHA20-POLY1305`
}
