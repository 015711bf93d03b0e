import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export interface CertificateOptions {
	/** Default: `IP:127.0.0.1`. */
	readonly names?: string
	/** It ended a day ago. */
	readonly expired?: boolean
}

/** A certificate that signed itself, `NAME.pem`, and its key, `NAME.key`, in `folder`. */
export function makeCertificate(folder: string, name: string, options: CertificateOptions = {}) {
	const cert = join(folder, `${name}.pem`)
	const key = join(folder, `${name}.key`)
	execFileSync(
		'openssl',
		[
			...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
			...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${options.names ?? 'IP:127.0.0.1'}`],
			...['-keyout', key, '-out', cert],
		],
		{ stdio: 'ignore' },
	)
	if (options.expired === true)
		execFileSync('openssl', ['x509', '-in', cert, '-signkey', key, '-days', '-1', '-out', cert], {
			stdio: 'ignore',
		})
	return { cert, key }
}
