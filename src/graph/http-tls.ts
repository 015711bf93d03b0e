import { readFile } from 'node:fs/promises'
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import type { HttpClientArgs } from './http-client-args.ts'

/** `tls_config` as Node takes it. Files are read each time: certificates are renewed in place. */
export async function clientTlsOptions(tls: HttpClientArgs['tls_config']): Promise<ConnectionOptions> {
	const ca = await pemOrFile(tls.ca_pem, tls.ca_file)
	const cert = await pemOrFile(tls.cert_pem, tls.cert_file)
	const key = await pemOrFile(tls.key_pem.reveal(), tls.key_file)
	const minVersion = versions.get(tls.min_version)
	return {
		rejectUnauthorized: !tls.insecure_skip_verify,
		...(ca === undefined ? {} : { ca }),
		...(cert === undefined ? {} : { cert }),
		...(key === undefined ? {} : { key }),
		...(tls.server_name === '' ? {} : { servername: tls.server_name }),
		...(minVersion === undefined ? {} : { minVersion }),
	}
}

const pemOrFile = async (pem: string, file: string): Promise<string | undefined> =>
	pem !== '' ? pem : file === '' ? undefined : readFile(file, 'utf8')

const versions: ReadonlyMap<string, SecureVersion> = new Map([
	['TLS10', 'TLSv1'],
	['TLS11', 'TLSv1.1'],
	['TLS12', 'TLSv1.2'],
	['TLS13', 'TLSv1.3'],
])
