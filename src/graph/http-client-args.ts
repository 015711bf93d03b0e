import { type ArgsOfFields, attr, block, defineArgs, optionalBlock } from '../eval/args.ts'
import { anyValue, bool, enumOf, list, map, secret, string } from '../eval/types.ts'

const basicAuth = defineArgs(
	{
		username: attr(string, { doc: 'Who asks.' }),
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
		type: attr(string, { default: 'Bearer', doc: 'First word of the `Authorization` header.' }),
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

const tlsVersion = enumOf(['', 'TLS10', 'TLS11', 'TLS12', 'TLS13'], (text) => `unknown TLS version: ${text}`)

/** How a server is checked and how Vör shows who it is. */
export const clientTls = defineArgs(
	{
		ca_pem: attr(string, { doc: 'Authorities (PEM) to trust, instead of the system’s.' }),
		ca_file: attr(string, { doc: 'File with them.' }),
		cert_pem: attr(string, { doc: 'Certificate (PEM) to show.' }),
		cert_file: attr(string, { doc: 'File with it.' }),
		key_pem: attr(secret, { doc: 'Its private key (PEM); never printed.' }),
		key_file: attr(string, { doc: 'File with the key.' }),
		server_name: attr(string, { doc: 'Name that the certificate of the server must have.' }),
		insecure_skip_verify: attr(bool, { doc: 'Whatever certificate it has.' }),
		min_version: attr(tlsVersion, { doc: 'TLS10, TLS11, TLS12 (when nothing is said) or TLS13.' }),
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

const proxyFields = {
	proxy_url: attr(string, {
		doc: 'Proxy to go through, `http://` or `https://`; may hold a user and password.',
	}),
	no_proxy: attr(string, {
		doc: 'Addresses, ranges and names that are reached without it, separated by commas.',
	}),
	proxy_from_environment: attr(bool, {
		doc: 'Take both from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.',
	}),
	proxy_connect_header: attr(map(list(secret)), {
		doc: 'Sent to the proxy with the request for a tunnel; values are never printed.',
	}),
}

/** What is wrong with the combination, in Alloy's words. */
function proxyProblem(args: ArgsOfFields<typeof proxyFields>): string | undefined {
	const { proxy_url: url, proxy_from_environment: fromEnvironment } = args
	if (Object.keys(args.proxy_connect_header).length > 0 && !fromEnvironment && url === '')
		return 'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured'
	if (fromEnvironment && url !== '')
		return 'if proxy_from_environment is configured, proxy_url must not be configured'
	if (args.no_proxy === '') return undefined
	if (fromEnvironment) return 'if proxy_from_environment is configured, no_proxy must not be configured'
	return url === '' ? 'if no_proxy is configured, proxy_url must also be configured' : undefined
}

export const jwtBearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const oauth2 = defineArgs(
	{
		client_id: attr(string, { doc: 'Who asks for a token.' }),
		client_secret: attr(secret, { doc: 'Never printed.' }),
		client_secret_file: attr(string, { doc: 'File with the secret; read at every request.' }),
		client_certificate_key_id: attr(string, { doc: 'Name of the key, as `kid` of what it signs.' }),
		client_certificate_key: attr(secret, { doc: 'Private RSA key (PEM); never printed.' }),
		client_certificate_key_file: attr(string, { doc: 'File with the key; read at every request.' }),
		grant_type: attr(string, {
			default: 'client_credentials',
			doc: `That, or \`${jwtBearerGrant}\`.`,
		}),
		signature_algorithm: attr(string, { default: 'RS256', doc: 'RS256, RS384 or RS512.' }),
		iss: attr(string, { doc: 'Who signs; `client_id` when nothing is said.' }),
		audience: attr(string, { doc: 'Whom it is for; `token_url` when nothing is said.' }),
		claims: attr(map(anyValue), { doc: 'More to be signed.' }),
		scopes: attr(list(string), { doc: 'What the token is for.' }),
		token_url: attr(string, { doc: 'Where a token is given.' }),
		endpoint_params: attr(map(string), { doc: 'Sent with the request for a token.' }),
		...proxyFields,
		tls_config: optionalBlock(clientTls, { doc: 'For the server that gives tokens.' }),
	},
	{
		validate(args) {
			if (args.client_id === '') return 'oauth2 client_id must be configured'
			if (args.token_url === '') return 'oauth2 token_url must be configured'
			const byKey = args.grant_type === jwtBearerGrant
			if (!byKey && args.grant_type !== 'client_credentials')
				return `unsupported oauth2 grant_type ${JSON.stringify(args.grant_type)}`
			const [name, text, file, and] = byKey
				? ['client_certificate_key', args.client_certificate_key, args.client_certificate_key_file, 'and']
				: ['client_secret', args.client_secret, args.client_secret_file, '&']
			if (text.reveal() === '' && file === '')
				return `either oauth2 ${name} or ${name}_file must be configured`
			if (text.reveal() !== '' && file !== '')
				return `at most one of oauth2 ${name} ${and} ${name}_file must be configured`
			return proxyProblem(args)
		},
	},
)

/** Alloy's arguments of everything that makes HTTP requests. */
export const httpClientFields = {
	basic_auth: optionalBlock(basicAuth, { doc: 'User and password.' }),
	authorization: optionalBlock(authorization, { doc: 'Any other `Authorization` header.' }),
	oauth2: optionalBlock(oauth2, {
		doc: 'A token that is fetched when it is needed and kept while it holds.',
	}),
	bearer_token: attr(secret, { doc: 'Never printed.' }),
	bearer_token_file: attr(string, { doc: 'File with the token; read at every request.' }),
	...proxyFields,
	tls_config: block(clientTls, { doc: 'For the server, and for a proxy that speaks TLS.' }),
	follow_redirects: attr(bool, { default: true, doc: 'Go where the server points, at most ten times.' }),
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
	if (ways.filter(Boolean).length > 1)
		return 'at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured'
	const reserved = Object.keys(args.http_headers).find((name) => reservedHeaders.has(name.toLowerCase()))
	if (reserved !== undefined) return `setting header "${canonical(reserved)}" is not allowed`
	return proxyProblem(args)
}

/** They belong to the connection, to how the client shows who it is, or to what it speaks. */
const reservedHeaders = new Set(
	(
		'authorization host content-encoding content-length content-type user-agent connection keep-alive ' +
		'proxy-authenticate proxy-authorization www-authenticate accept-encoding x-prometheus-remote-write-version ' +
		'x-prometheus-remote-read-version x-prometheus-scrape-timeout-seconds x-amz-date x-amz-security-token ' +
		'x-amz-content-sha256'
	).split(' '),
)

const canonical = (name: string): string =>
	name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())

export const httpClient = defineArgs(httpClientFields, { validate: httpClientProblem })
