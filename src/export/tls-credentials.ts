import { readFileSync } from 'node:fs'
import {
	createSecureContext,
	rootCertificates,
	type SecureContextOptions,
	type SecureVersion,
} from 'node:tls'
import { type ChannelCredentials, credentials } from '@grpc/grpc-js'
import { VorError } from '../util/errors.ts'
import type { TlsOptions } from './otlp-options.ts'

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
	'TLS 1.0': 'TLSv1',
	'TLS 1.1': 'TLSv1.1',
	'TLS 1.2': 'TLSv1.2',
	'TLS 1.3': 'TLSv1.3',
}

const CURVES: Readonly<Record<string, string>> = {
	X25519: 'X25519',
	P256: 'P-256',
	P384: 'P-384',
	P521: 'P-521',
}

/** Go's names of the TLS 1.2 suites that it calls secure, and OpenSSL's. */
const SUITES: Readonly<Record<string, string>> = {
	TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
	TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
	TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
	TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
	TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
	TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
	TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
	TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
	TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
	TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
}

/** Credentials of the channel. Reads the files now, so that a wrong path is an error of the configuration. */
export function tlsCredentials(tls: TlsOptions): ChannelCredentials {
	const ca = pem('ca', tls.caFile, tls.caPem)
	const cert = pem('cert', tls.certFile, tls.certPem)
	const key = pem('key', tls.keyFile, tls.keyPem)
	if ((cert === undefined) !== (key === undefined)) {
		throw new VorError('E_CONFIG', 'for a client certificate, both certificate and key must be given', {
			fix: 'set cert_file and key_file (or cert_pem and key_pem)',
		})
	}
	const options: SecureContextOptions = {
		minVersion: pick(VERSIONS, tls.minVersion === '' ? 'TLS 1.2' : tls.minVersion, 'min_version'),
		maxVersion: pick(VERSIONS, tls.maxVersion === '' ? 'TLS 1.3' : tls.maxVersion, 'max_version'),
	}
	if (options.minVersion! > options.maxVersion!) {
		throw new VorError('E_CONFIG', 'tls: min_version is newer than max_version')
	}
	if (ca !== undefined) options.ca = tls.includeSystemCaCertsPool ? [...rootCertificates, ca] : ca
	if (cert !== undefined) options.cert = cert
	if (key !== undefined) options.key = key
	if (tls.cipherSuites.length > 0) {
		const suites = tls.cipherSuites.map((name) => pick(SUITES, name, 'cipher_suites'))
		// The TLS 1.3 suites stay as they are: as in Go, they cannot be chosen.
		options.ciphers = [
			'TLS_AES_128_GCM_SHA256',
			'TLS_AES_256_GCM_SHA384',
			'TLS_CHACHA20_POLY1305_SHA256',
			...suites,
		].join(':')
	}
	if (tls.curvePreferences.length > 0) {
		options.ecdhCurve = tls.curvePreferences.map((name) => pick(CURVES, name, 'curve_preferences')).join(':')
	}
	try {
		return credentials.createFromSecureContext(createSecureContext(options), {
			rejectUnauthorized: !tls.insecureSkipVerify,
		})
	} catch (error) {
		const message = error instanceof Error ? error.message : String(error)
		throw new VorError('E_CONFIG', `tls: ${message}`, {
			cause: error,
			fix: 'check the PEM certificate and key',
		})
	}
}

function pem(what: string, file: string, text: string): string | undefined {
	if (file !== '' && text !== '') {
		throw new VorError('E_CONFIG', `tls: ${what}_file and ${what}_pem are both set`, {
			fix: 'keep one of them',
		})
	}
	if (text !== '') return text
	if (file === '') return undefined
	try {
		return readFileSync(file, 'utf8')
	} catch (error) {
		const reason = (error as NodeJS.ErrnoException).code ?? String(error)
		throw new VorError('E_FILE', `tls: cannot read ${what}_file ${file}: ${reason}`, { cause: error })
	}
}

function pick<T extends string>(table: Readonly<Record<string, T>>, name: string, argument: string): T {
	const found = table[name]
	if (found === undefined) {
		throw new VorError('E_CONFIG', `tls: ${argument} does not know "${name}"`, {
			fix: `use one of ${Object.keys(table).join(', ')}`,
		})
	}
	return found
}
