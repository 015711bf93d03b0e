import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What the `http` block says of who may ask. */
export interface Authentication {
	readonly username: string
	/** Read when a request is checked; never kept elsewhere. */
	readonly password: () => string
	/** Beginnings of paths. */
	readonly paths: readonly string[]
	/** Whether `paths` are the ones that are protected, or the ones that are not. Without paths all are. */
	readonly matching: boolean
}

/** Whether a request may be answered. */
export function isAllowed(auth: Authentication | undefined, request: IncomingMessage, path: string): boolean {
	if (auth === undefined) return true
	const matches = auth.paths.some((start) => path.startsWith(start))
	if (auth.paths.length > 0 && matches !== auth.matching) return true
	const [scheme = '', text = ''] = (request.headers.authorization ?? '').split(' ', 2)
	if (scheme.toLowerCase() !== 'basic') return false
	const given = Buffer.from(text, 'base64').toString('utf8')
	return equal(given, `${auth.username}:${auth.password()}`)
}

/** Takes the same time wherever they differ. */
function equal(one: string, other: string): boolean {
	const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
	return timingSafeEqual(digest(one), digest(other))
}
