import { readFileSync } from 'node:fs'
import { createSecureContext, type TLSSocket, type TlsOptions } from 'node:tls'
import { VorError } from '../util/errors.ts'

/** What the `http` block's `tls` says, checked there, secrets already taken out of their wrapping. */
export interface ServerTlsSettings {
	readonly certPem: string
	readonly certFile: string
	readonly keyPem: string
	readonly keyFile: string
	readonly clientCaPem: string
	readonly clientCaFile: string
	readonly clientAuthType: keyof typeof clientAuth
	readonly cipherSuites: readonly string[]
	readonly curvePreferences: readonly (keyof typeof curves)[]
	/** '' = as Go's servers. */
	readonly minVersion: Version | ''
	readonly maxVersion: Version | ''
}

type Version = keyof typeof versions

const versions = {
	TLS10: 'TLSv1',
	TLS11: 'TLSv1.1',
	TLS12: 'TLSv1.2',
	TLS13: 'TLSv1.3',
} as const

/** How connections are encrypted, and who may have one. */
export interface ServerTls {
	readonly options: TlsOptions
	/** After the handshake. */
	readonly accepts: (socket: TLSSocket) => boolean
}

interface ClientAuth extends Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized'> {
	readonly accepts: ServerTls['accepts']
}

const anybody = (): boolean => true
const hasCertificate = (socket: TLSSocket): boolean =>
	Object.keys((socket.getPeerCertificate() as object | null) ?? {}).length > 0

/** Go's client authentication types: whether a certificate is asked for, and whether one may lack or not verify. */
const clientAuth = {
	NoClientCert: { requestCert: false, accepts: anybody },
	RequestClientCert: { requestCert: true, rejectUnauthorized: false, accepts: anybody },
	RequireAnyClientCert: { requestCert: true, rejectUnauthorized: false, accepts: hasCertificate },
	VerifyClientCertIfGiven: {
		requestCert: true,
		rejectUnauthorized: false,
		accepts: (socket) => socket.authorized || !hasCertificate(socket),
	},
	RequireAndVerifyClientCert: { requestCert: true, rejectUnauthorized: true, accepts: anybody },
} satisfies Readonly<Record<string, ClientAuth>>

const curves = {
	CurveP256: 'P-256',
	CurveP384: 'P-384',
	CurveP521: 'P-521',
	X25519: 'X25519',
} as const

/** Of TLS 1.3; Go's servers take no list of them, and OpenSSL would speak no 1.3 without. */
const suites13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

/** Settings as a server needs them: files are read, key and certificate fit. Throws E_CONFIG or E_FILE. */
export function serverTls(settings: ServerTlsSettings): ServerTls {
	const { accepts, ...asking } = clientAuth[settings.clientAuthType]
	const { cipherSuites, curvePreferences } = settings
	const ca = pemOf('client_ca', settings.clientCaPem, settings.clientCaFile)
	const options: TlsOptions = {
		cert: pemOf('cert', settings.certPem, settings.certFile),
		key: pemOf('key', settings.keyPem, settings.keyFile),
		minVersion: versions[settings.minVersion || 'TLS12'],
		maxVersion: versions[settings.maxVersion || 'TLS13'],
		...asking,
		...(ca === '' ? {} : { ca }),
		...(cipherSuites.length === 0 ? {} : { ciphers: openSslNames(cipherSuites) }),
		...(curvePreferences.length === 0
			? {}
			: { ecdhCurve: curvePreferences.map((name) => curves[name]).join(':') }),
	}
	try {
		createSecureContext(options)
	} catch (reason) {
		throw new VorError('E_CONFIG', `http tls: ${(reason as Error).message}`, { cause: reason })
	}
	return { options, accepts }
}

function pemOf(name: string, pem: string, file: string): string {
	if (file === '') return pem
	try {
		return readFileSync(file, 'utf8')
	} catch (reason) {
		throw new VorError('E_FILE', `http tls: ${name}_file: ${(reason as Error).message}`, { cause: reason })
	}
}

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256` there, and `CBC` is not said. */
function openSslNames(suites: readonly string[]): string {
	const older = suites
		.filter((name) => !suites13.includes(name))
		.map((name) =>
			name
				.replace(/^TLS_/, '')
				.replace(/_WITH_|_CBC_/g, '_')
				.replace(/AES_(?=\d)/, 'AES')
				.replace(/(POLY1305)_SHA256$/, '$1')
				.replaceAll('_', '-'),
		)
	return [...suites13, ...older].join(':')
}
