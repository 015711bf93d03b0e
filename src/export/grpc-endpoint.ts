import { VorError } from '../util/errors.ts'

export interface GrpcEndpoint {
	/** As @grpc/grpc-js wants it. */
	readonly target: string
	/** What the scheme says about TLS; undefined when there is none, then `tls.insecure` decides. */
	readonly tls: boolean | undefined
}

/**
 * `host:port`, `http://host:port` (plain text), `https://host:port` (TLS), `dns:///host:port` and `unix:///path`. As the
 * OTLP specification says, the scheme wins over `insecure`.
 */
export function parseGrpcEndpoint(endpoint: string): GrpcEndpoint {
	if (endpoint === '') {
		throw new VorError('E_CONFIG', '`endpoint` must not be empty', { fix: 'set endpoint = "localhost:4317"' })
	}
	const web = /^(https?):\/\/([^/]*)(\/.*)?$/i.exec(endpoint)
	if (web !== null) {
		const path = web[3] ?? '/'
		if (path !== '/') {
			throw new VorError('E_CONFIG', `endpoint "${endpoint}" has a path, which OTLP over gRPC does not`, {
				fix: `use "${web[1]}://${web[2]}"`,
			})
		}
		return { target: withPort(web[2]!, endpoint), tls: web[1]!.toLowerCase() === 'https' }
	}
	if (endpoint.startsWith('unix:')) return { target: endpoint, tls: undefined }
	const resolver = /^(dns:(?:\/\/[^/]*\/)?|ipv[46]:)(.+)$/.exec(endpoint)
	if (resolver !== null) return { target: resolver[1]! + withPort(resolver[2]!, endpoint), tls: undefined }
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(endpoint)
	if (scheme !== null) {
		throw new VorError('E_CONFIG', `endpoint "${endpoint}" has the unknown scheme "${scheme[1]}"`, {
			fix: 'use host:port, http://host:port, https://host:port, dns:///host:port or unix:///path',
		})
	}
	return { target: withPort(endpoint, endpoint), tls: undefined }
}

function withPort(address: string, endpoint: string): string {
	const match = /^(.+):(\d{1,5})$/.exec(address)
	const bareIpv6 = match !== null && match[1]!.includes(':') && !match[1]!.startsWith('[')
	if (match === null || bareIpv6) {
		const host = address.includes(':') && !address.startsWith('[') ? `[${address}]` : address
		throw new VorError('E_CONFIG', `endpoint "${endpoint}" has no port`, {
			fix: `for OTLP over gRPC, use "${host}:4317"`,
		})
	}
	const port = Number(match[2])
	if (port < 1 || port > 65_535)
		throw new VorError('E_CONFIG', `endpoint "${endpoint}" has the invalid port ${port}`)
	return address
}
