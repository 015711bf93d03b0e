import type { HttpClientArgs } from './http-client-args.ts'
import { parseNoProxy } from './no-proxy.ts'

/** A proxy that a request goes through. */
export interface ProxyRoute {
	readonly url: URL
	/** `Proxy-Authorization`, from the user and password of its URL. */
	readonly authorization: string | undefined
	/** What else it is told when it is asked for a tunnel. */
	readonly connectHeaders: Readonly<Record<string, readonly string[]>>
}

type ProxyArgs = Pick<
	HttpClientArgs,
	'proxy_url' | 'no_proxy' | 'proxy_from_environment' | 'proxy_connect_header'
>

/** The proxy for `target`, undefined where it is reached directly. Throws when the settings name none that can be used. */
export function proxyFor(
	target: URL,
	args: ProxyArgs,
	environment: NodeJS.ProcessEnv = process.env,
): ProxyRoute | undefined {
	const [text, exceptions] = args.proxy_from_environment
		? fromEnvironment(target, environment)
		: [args.proxy_url, args.no_proxy]
	if (text === '') return undefined
	// Without a list every request goes through the proxy that was named, even one to this machine.
	const hasList = args.proxy_from_environment || exceptions !== ''
	if (hasList && parseNoProxy(exceptions).excepts(target)) return undefined
	const url = parseProxyUrl(text, args.proxy_from_environment)
	return {
		url,
		authorization: loginOf(url),
		connectHeaders: Object.fromEntries(
			Object.entries(args.proxy_connect_header).map(([name, values]) => [
				name,
				values.map((value) => value.reveal()),
			]),
		),
	}
}

/** Go's variables, in Go's order. */
function fromEnvironment(target: URL, environment: NodeJS.ProcessEnv): readonly [string, string] {
	const either = (name: string): string => environment[name] || environment[name.toLowerCase()] || ''
	return [either(target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'), either('NO_PROXY')]
}

function parseProxyUrl(text: string, schemeMayLack: boolean): URL {
	const full = schemeMayLack && !text.includes('://') ? `http://${text}` : text
	const url = URL.canParse(full) ? new URL(full) : undefined
	if (url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== '') return url
	// The text may hold a password.
	throw new Error('the proxy must be named by a URL that begins with http:// or https://')
}

function loginOf({ username, password }: URL): string | undefined {
	if (username === '' && password === '') return undefined
	try {
		const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
		return `Basic ${Buffer.from(login).toString('base64')}`
	} catch {
		throw new Error('user and password of the proxy must be percent-encoded')
	}
}
