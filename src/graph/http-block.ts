import { attr, block, defineArgs, optionalBlock } from '../eval/args.ts'
import { bool, enumOf, list, secret, string } from '../eval/types.ts'

/** `unknown curve "x"`, as Alloy says it. */
const choice = <const T extends string>(what: string, names: readonly T[]) =>
	enumOf(names, (text) => `unknown ${what} ${JSON.stringify(text)}`)

const version = choice('TLS version', ['', 'TLS10', 'TLS11', 'TLS12', 'TLS13'])

const clientAuthType = choice('client auth type', [
	'NoClientCert',
	'RequestClientCert',
	'RequireAnyClientCert',
	'VerifyClientCertIfGiven',
	'RequireAndVerifyClientCert',
])

/** What Go takes for secure. */
const cipher = choice('cipher', [
	'TLS_AES_128_GCM_SHA256',
	'TLS_AES_256_GCM_SHA384',
	'TLS_CHACHA20_POLY1305_SHA256',
	...(['ECDSA', 'RSA'] as const).flatMap(
		(key) =>
			[
				`TLS_ECDHE_${key}_WITH_AES_128_CBC_SHA`,
				`TLS_ECDHE_${key}_WITH_AES_256_CBC_SHA`,
				`TLS_ECDHE_${key}_WITH_AES_128_GCM_SHA256`,
				`TLS_ECDHE_${key}_WITH_AES_256_GCM_SHA384`,
				`TLS_ECDHE_${key}_WITH_CHACHA20_POLY1305_SHA256`,
			] as const,
	),
])

const tls = defineArgs(
	{
		cert_pem: attr(string, { doc: 'Certificate (PEM), with those that lead to its authority behind it.' }),
		cert_file: attr(string, { doc: 'File with it.' }),
		key_pem: attr(secret, { doc: 'Its private key (PEM); never printed.' }),
		key_file: attr(string, { doc: 'File with the key.' }),
		client_ca_pem: attr(string, { doc: 'Authorities (PEM) that sign the certificates of clients.' }),
		client_ca_file: attr(string, { doc: 'File with them.' }),
		client_auth_type: attr(clientAuthType, {
			default: 'NoClientCert',
			doc: 'Whether clients are asked for a certificate, whether one may lack, and whether it is verified.',
		}),
		cipher_suites: attr(list(cipher), {
			doc: 'Of TLS 1.2 and older, by their names in Go; those of 1.3 are always allowed. Default: Node’s.',
		}),
		curve_preferences: attr(list(choice('curve', ['CurveP256', 'CurveP384', 'CurveP521', 'X25519'])), {
			doc: 'For the exchange of keys. Default: Node’s.',
		}),
		min_version: attr(version, { doc: '`TLS12` when nothing is said.' }),
		max_version: attr(version, { doc: '`TLS13` when nothing is said.' }),
	},
	{
		validate(args) {
			const given = {
				client_ca: [args.client_ca_pem, args.client_ca_file],
				cert: [args.cert_pem, args.cert_file],
				key: [args.key_pem.reveal(), args.key_file],
			} as const
			for (const [name, [pem, file]] of Object.entries(given))
				if (pem !== '' && file !== '') return `cannot specify both ${name}_pem and ${name}_file`
			for (const name of ['cert', 'key'] as const)
				if (given[name].every((text) => text === '')) return `must specify either ${name}_pem or ${name}_file`
			return args.client_auth_type === 'NoClientCert' && given.client_ca.some((text) => text !== '')
				? 'cannot specify client_ca_pem or client_ca_file when client_auth_type is NoClientCert'
				: undefined
		},
	},
)

/** Who may ask the HTTP server, and how connections to it are encrypted. */
export const http = defineArgs({
	auth: optionalBlock({
		basic: optionalBlock({
			username: attr(string, { required: true, doc: 'Who may ask.' }),
			password: attr(secret, { required: true, doc: 'Never printed.' }),
		}),
		filter: block({
			paths: attr(list(string), { doc: 'Beginnings of paths; without any all are protected.' }),
			authenticate_matching_paths: attr(bool, {
				default: true,
				doc: 'Whether `paths` are protected, or all others.',
			}),
		}),
	}),
	tls: optionalBlock(tls),
})

export type HttpArgs = ReturnType<typeof http.defaults>
