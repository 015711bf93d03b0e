import { attr, block, defineArgs, optionalBlock } from '../eval/args.ts'
import { bool, list, map, secret, string } from '../eval/types.ts'

const basicAuth = defineArgs(
	{
		username: attr(string),
		password: attr(secret, { doc: 'Never printed.' }),
		password_file: attr(string, { doc: 'File with the password; read at every request.' }),
	},
	{
		validate: (args) =>
			args.password.reveal() !== '' && args.password_file !== ''
				? 'at most one of basic_auth password & password_file must be configured'
				: undefined,
	},
)

const authorization = defineArgs(
	{
		type: attr(string, { default: 'Bearer' }),
		credentials: attr(secret, { doc: 'Never printed.' }),
		credentials_file: attr(string, { doc: 'File with the credentials; read at every request.' }),
	},
	{
		validate(args) {
			if (args.credentials.reveal() !== '' && args.credentials_file !== '')
				return 'at most one of authorization credentials & credentials_file must be configured'
			return args.type.trim().toLowerCase() === 'basic'
				? 'authorization type cannot be set to "basic", use "basic_auth" block instead'
				: undefined
		},
	},
)

/** How a server is checked and how Vör shows who it is. */
export const clientTls = defineArgs(
	{
		ca_pem: attr(string),
		ca_file: attr(string),
		cert_pem: attr(string),
		cert_file: attr(string),
		key_pem: attr(secret),
		key_file: attr(string),
		server_name: attr(string),
		insecure_skip_verify: attr(bool),
		min_version: attr(string),
	},
	{
		validate(args) {
			const both = (one: string, other: string, name: string): string | undefined =>
				one !== '' && other !== ''
					? `at most one of ${name}_pem and ${name}_file must be configured`
					: undefined
			const key = args.key_pem.reveal()
			const twice =
				both(args.ca_pem, args.ca_file, 'ca') ??
				both(args.cert_pem, args.cert_file, 'cert') ??
				both(key, args.key_file, 'key')
			if (twice !== undefined) return twice
			const hasCert = args.cert_pem !== '' || args.cert_file !== ''
			const hasKey = key !== '' || args.key_file !== ''
			if (hasCert && !hasKey)
				return 'exactly one of key_pem or key_file must be configured when a client certificate is configured'
			if (hasKey && !hasCert)
				return 'exactly one of cert_pem or cert_file must be configured when a client key is configured'
			return undefined
		},
	},
)

const oauth2 = defineArgs({
	client_id: attr(string),
	client_secret: attr(secret),
	client_secret_file: attr(string),
	client_certificate_key_id: attr(string),
	client_certificate_key: attr(secret),
	client_certificate_key_file: attr(string),
	grant_type: attr(string, { default: 'client_credentials' }),
	signature_algorithm: attr(string, { default: 'RS256' }),
	iss: attr(string),
	audience: attr(string),
	scopes: attr(list(string)),
	token_url: attr(string),
	endpoint_params: attr(map(string)),
	proxy_url: attr(string),
	no_proxy: attr(string),
	proxy_from_environment: attr(bool),
	proxy_connect_header: attr(map(list(secret))),
	tls_config: optionalBlock(clientTls),
})

/** Alloy's arguments of everything that makes HTTP requests. */
export const httpClientFields = {
	basic_auth: optionalBlock(basicAuth),
	authorization: optionalBlock(authorization),
	oauth2: optionalBlock(oauth2, { notYet: true }),
	bearer_token: attr(secret, { doc: 'Never printed.' }),
	bearer_token_file: attr(string, { doc: 'File with the token; read at every request.' }),
	proxy_url: attr(string, { notYet: true }),
	no_proxy: attr(string, { notYet: true }),
	proxy_from_environment: attr(bool, { notYet: true }),
	proxy_connect_header: attr(map(list(secret)), { notYet: true }),
	tls_config: block(clientTls),
	follow_redirects: attr(bool, { default: true }),
	enable_http2: attr(bool, { default: true, doc: 'Accepted; requests are made over HTTP/1.1.' }),
	http_headers: attr(map(list(secret)), { doc: 'Sent with every request; values are never printed.' }),
}

const schema = defineArgs(httpClientFields)
export type HttpClientArgs = ReturnType<typeof schema.defaults>

/** What is wrong with the combination, in Alloy's words. */
export function httpClientProblem(args: HttpClientArgs): string | undefined {
	const ways = [
		args.basic_auth !== undefined,
		args.authorization !== undefined,
		args.oauth2 !== undefined,
		args.bearer_token.reveal() !== '',
		args.bearer_token_file !== '',
	]
	return ways.filter(Boolean).length > 1
		? 'at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured'
		: undefined
}

export const httpClient = defineArgs(httpClientFields, { validate: httpClientProblem })
