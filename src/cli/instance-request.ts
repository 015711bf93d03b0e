import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { VorError } from '../util/errors.ts'
import { printable } from '../util/printable.ts'
import type { Instance } from './instance.ts'

/** Own answers are small; a stranger on the port is not read without end. */
const maxAnswerBytes = 16 * 1024 * 1024
const timeoutMs = 10_000

/** The body of GET `path` at a running Vör. What stands in the way is told with what mends it. */
export async function askInstance(instance: Instance, path: string): Promise<string> {
	try {
		const response = await send(instance, path)
		const text = await readBounded(response)
		const problem = statusProblem(instance, response, text)
		if (problem === undefined) return text
		throw problem
	} catch (reason) {
		if (reason instanceof VorError) throw reason
		throw connectionProblem(instance, reason as NodeJS.ErrnoException)
	}
}

export function notVor({ url }: Instance): VorError {
	return new VorError('E_FILE', `what listens at ${url} is not Vör`, {
		fix: 'name the address of a running Vör: --address=HOST:PORT, or --url=https://HOST:PORT',
	})
}

function send(instance: Instance, path: string): Promise<IncomingMessage> {
	const { login } = instance
	const headers = {
		'user-agent': 'vor',
		...(login === undefined
			? {}
			: {
					authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`,
				}),
	}
	const url = new URL(`${instance.url}${path}`)
	const options = { headers, agent: false, signal: AbortSignal.timeout(timeoutMs) } as const
	return new Promise((resolve, reject) => {
		const request =
			url.protocol === 'https:'
				? secureRequest(url, { ...options, ...tlsOf(instance) }, resolve)
				: plainRequest(url, options, resolve)
		request.on('error', reject)
		request.end()
	})
}

const tlsOf = ({ ca, cert, key, verify }: Instance) => ({
	rejectUnauthorized: verify,
	...(ca === undefined ? {} : { ca }),
	...(cert === undefined || key === undefined ? {} : { cert, key }),
})

async function readBounded(response: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = []
	let length = 0
	for await (const chunk of response as AsyncIterable<Buffer>) {
		length += chunk.length
		if (length > maxAnswerBytes)
			throw new VorError('E_FILE', 'the answer is too long for a table of services')
		chunks.push(chunk)
	}
	return Buffer.concat(chunks).toString('utf8')
}

function statusProblem(instance: Instance, response: IncomingMessage, body: string): VorError | undefined {
	const { url, login } = instance
	const status = response.statusCode ?? 0
	if (status >= 200 && status < 300) return undefined
	if (status === 401)
		return login === undefined
			? new VorError('E_FILE', `${url} wants to know who asks (401)`, {
					fix: '--user=NAME, with its password in VOR_HTTP_PASSWORD or --password-file',
				})
			: new VorError(
					'E_FILE',
					`${url} does not take user ${printable(login.user)} with this password (401)`,
					{
						fix: 'they stand in its file: http { auth { basic { username, password } } }',
					},
				)
	if (status === 403)
		return new VorError('E_FILE', `${url} refuses (403): ${bodyText(body)}`, {
			fix: 'ask at its IP address or localhost',
		})
	// Its own mishap, or a proxy's before it.
	if (status >= 500)
		return new VorError('E_FILE', `${url} could not answer (${status}): ${bodyText(body)}`, {
			fix: 'its log says why',
		})
	return notVor(instance)
}

const bodyText = (body: string): string => printable(body.trim()).slice(0, 200)

const untrusted = new Set([
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Why there was no answer at all: the certificate, the other side's wish for one, no TLS on one side, nobody there. */
function connectionProblem(instance: Instance, reason: NodeJS.ErrnoException): VorError {
	const { url } = instance
	const { code = '' } = reason
	const said = plainText(reason)
	const problem = (message: string, fix: string) => new VorError('E_FILE', message, { fix, cause: reason })
	if (untrusted.has(code))
		return problem(
			`the certificate of ${url} is signed by nobody ${instance.ca === undefined ? 'this machine trusts' : 'that --ca-file holds'} (${said})`,
			'--ca-file=FILE with the certificate of who signed it; one that signed itself is its own',
		)
	if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
		return problem(
			`the certificate of ${url} ${code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'}`,
			'give it a new one (http { tls { cert_file, key_file } } of its file), or look at the clock of this machine',
		)
	if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
		return problem(
			`the certificate of ${url} is for another name (${said})`,
			'name it in --url as its certificate does',
		)
	if (/ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)/.test(code))
		return problem(
			instance.cert === undefined
				? `${url} asks for a certificate (${said})`
				: `${url} does not take the certificate of --cert-file (${said})`,
			'--cert-file=FILE --key-file=FILE, signed by whom its client_ca_file names',
		)
	if (/wrong version number|packet length too long/.test(said))
		return problem(`what listens at ${url} does not speak TLS`, `--url=${url.replace(/^https:/, 'http:')}`)
	if (/^ERR_(SSL|OSSL|TLS)|^(UNABLE_|CERT_|CRL_|HOSTNAME_)/.test(code))
		return problem(`TLS with ${url} failed: ${said}`, 'vor top --help lists the flags about TLS')
	// A TLS server hangs up on one that does not speak it.
	if (url.startsWith('http:') && (code === 'ECONNRESET' || code.startsWith('HPE_')))
		return problem(
			`what listens at ${url} does not answer to plain HTTP (${said})`,
			`if it has TLS: --url=${url.replace(/^http:/, 'https:')}`,
		)
	if (code === 'ECONNRESET')
		return problem(
			`${url} hung up without an answer (${said})`,
			instance.cert === undefined
				? 'its log says why; it may ask for a certificate: --cert-file=FILE --key-file=FILE'
				: 'so a Vör refuses a certificate that client_ca_file of its http block did not sign: see --cert-file',
		)
	const why = code === 'ABORT_ERR' ? `nothing within ${timeoutMs / 1000} s` : said
	return problem(
		`no Vör answers at ${url} (${why})`,
		'start one with "vor run pipelines/local.alloy", or name its address: --address=HOST:PORT',
	)
}

/** OpenSSL's words without the place in its source. */
const plainText = ({ message }: Error): string =>
	/error:[0-9A-F]+:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? message
