import { isIP, isIPv4 } from 'node:net'
import { VorError } from '../util/errors.ts'

export interface ListenAddress {
	/** '' = every address. */
	readonly host: string
	/** 0 = one that is free. */
	readonly port: number
}

/** Reads `host:port` as Go does: `127.0.0.1:12345`, `[::1]:12345`, `:12345`. */
export function parseListenAddress(text: string): ListenAddress {
	const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text)
	const port = Number(match?.[3])
	if (match === null || port > 65_535) {
		throw new VorError('E_USAGE', `"${text}" is no listen address`, {
			fix: '--server.http.listen-addr=127.0.0.1:12345',
		})
	}
	return { host: match[1] ?? match[2] ?? '', port }
}

/** The address as a URL or a user writes it. */
export function formatHostPort(host: string, port: number): string {
	return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function isLoopback(host: string): boolean {
	if (host === 'localhost' || host === '::1') return true
	return isIPv4(host) && host.startsWith('127.')
}

/**
 * Whether a Host header may be served by a server that listens on loopback only. A page on the internet can point its own
 * name at 127.0.0.1 and read our answers through the user's browser (DNS rebinding); it cannot do so with an address or
 * with `localhost`.
 */
export function isLocalHostHeader(header: string | undefined): boolean {
	// HTTP/1.0 clients send none, browsers always do.
	if (header === undefined) return true
	const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(header)
	const host = (match?.[1] ?? match?.[2] ?? '').toLowerCase()
	return isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost')
}
