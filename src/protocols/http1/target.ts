import { isSensitiveParameter } from '../common/redaction.ts'

/** A request target taken apart. Everything in it is fit to be exported: credentials and secrets are gone. */
export interface TargetParts {
	/** Path without query; '' for authority form (CONNECT), '*' for asterisk form. */
	readonly path: string
	/** Query without '?', redacted; '' = none. */
	readonly query: string
	/** Of an absolute-form target, else ''. */
	readonly scheme: string
	/** `host[:port]` of an absolute or authority-form target, without credentials, else ''. */
	readonly authority: string
	/** Credentials were removed from an absolute-form target. */
	readonly hadCredentials: boolean
}

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/s

/** RFC 9112 section 3.2, lenient: any text gives parts. */
export function splitTarget(target: string, method: string): TargetParts {
	if (method === 'CONNECT') return parts('', '', '', target)
	let rest = target
	let scheme = ''
	let authority = ''
	if (!target.startsWith('/')) {
		const absolute = ABSOLUTE.exec(target)
		if (absolute !== null) {
			scheme = absolute[1]!.toLowerCase()
			authority = absolute[2]!
			rest = absolute[3]!.startsWith('/') ? absolute[3]! : `/${absolute[3]!}`
		}
	}
	const fragment = rest.indexOf('#')
	if (fragment >= 0) rest = rest.slice(0, fragment)
	const mark = rest.indexOf('?')
	return mark < 0
		? parts(rest, '', scheme, authority)
		: parts(rest.slice(0, mark), redactQuery(rest.slice(mark + 1)), scheme, authority)
}

function parts(path: string, query: string, scheme: string, authority: string): TargetParts {
	const credentials = authority.lastIndexOf('@')
	return {
		path,
		query,
		scheme,
		authority: credentials < 0 ? authority : authority.slice(credentials + 1),
		hadCredentials: credentials >= 0,
	}
}

/** Values of the parameters that carry signatures and tokens become REDACTED; keys stay. */
export function redactQuery(query: string): string {
	if (query === '' || !query.includes('=')) return query
	let changed = false
	const pairs = query.split('&').map((pair) => {
		const equals = pair.indexOf('=')
		if (equals < 0 || equals === pair.length - 1 || !isSensitiveParameter(pair.slice(0, equals))) return pair
		changed = true
		return `${pair.slice(0, equals)}=REDACTED`
	})
	return changed ? pairs.join('&') : query
}
