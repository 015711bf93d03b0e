import { BlockList, isIP } from 'node:net'

/** Which URLs a proxy is not asked for: the list of `no_proxy`, read as Go's programs read it. */
export interface NoProxy {
	excepts(url: URL): boolean
}

interface NamedException {
	/** With a dot before it: `.example.com`. */
	readonly suffix: string
	/** '' = every port. */
	readonly port: string
	/** `example.com` is meant too, not only what is below it. */
	readonly itself: boolean
}

/**
 * Entries are separated by commas: an address, a range (`10.0.0.0/8`), a name (which holds for names below it), `.name` or
 * `*.name` (only those below it), each but a range with `:port` where only that one is meant; `*` is everything. This
 * machine itself is never reached through a proxy.
 */
export function parseNoProxy(text: string): NoProxy {
	const entries = text
		.split(',')
		.map((entry) => entry.trim().toLowerCase())
		.filter((entry) => entry !== '')
	if (entries.includes('*')) return { excepts: () => true }
	const ranges = new BlockList()
	const addresses = new Set<string>()
	const names: NamedException[] = []
	for (const entry of entries) {
		if (addRange(ranges, entry)) continue
		const [host, port] = splitPort(entry)
		if (host === '') continue
		if (isIP(host) !== 0) addresses.add(`${normal(host)} ${port}`)
		else {
			const bare = host.replace(/^\*(?=\.)/, '')
			const itself = !bare.startsWith('.')
			names.push({ suffix: itself ? `.${bare}` : bare, port, itself })
		}
	}
	return {
		excepts(url) {
			const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
			const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
			if (host === 'localhost') return true
			if (isIP(host) !== 0) {
				const family = isIP(host) === 6 ? 'ipv6' : 'ipv4'
				if (loopback.check(host, family) || ranges.check(host, family)) return true
				if (addresses.has(`${normal(host)} `) || addresses.has(`${normal(host)} ${port}`)) return true
			}
			return names.some(
				(one) =>
					(one.port === '' || one.port === port) &&
					(host.endsWith(one.suffix) || (one.itself && `.${host}` === one.suffix)),
			)
		},
	}
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function addRange(list: BlockList, entry: string): boolean {
	const match = /^(.+)\/(\d{1,3})$/.exec(entry)
	const version = isIP(match?.[1] ?? '')
	const bits = Number(match?.[2])
	if (match === null || version === 0 || bits > (version === 6 ? 128 : 32)) return false
	list.addSubnet(match[1]!, bits, version === 6 ? 'ipv6' : 'ipv4')
	return true
}

/** An address without brackets may hold colons itself. */
function splitPort(entry: string): readonly [host: string, port: string] {
	const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(entry)
	if (match !== null) return [match[1] ?? match[2] ?? '', match[3]!]
	return [entry.replace(/^\[(.*)\]$/, '$1'), '']
}

/** One writing of an address, whichever of the many it came in. */
const normal = (host: string): string =>
	isIP(host) === 6 ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host
