/** `host[:port]` taken apart; port 0 = not given (or no number). */
export interface Authority {
	/** Without brackets, as the conventions want IPv6 addresses. */
	readonly host: string
	readonly port: number
	/** A name of its own, neither an IP literal nor localhost. */
	readonly isName: boolean
}

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/

export function parseAuthority(text: string): Authority {
	let host = text
	let portText = ''
	if (text.startsWith('[')) {
		const close = text.indexOf(']')
		if (close > 0) {
			host = text.slice(1, close)
			if (text[close + 1] === ':') portText = text.slice(close + 2)
		}
	} else {
		const colon = text.lastIndexOf(':')
		if (colon >= 0 && text.indexOf(':') === colon) {
			host = text.slice(0, colon)
			portText = text.slice(colon + 1)
		}
	}
	const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
	const isName = host !== '' && !host.includes(':') && !IPV4.test(host) && host.toLowerCase() !== 'localhost'
	return { host, port: port <= 65535 ? port : 0, isName }
}
