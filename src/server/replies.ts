import type { ServerResponse } from 'node:http'

/** The texts are Alloy's (tested against a recording of it), but for the name of the product. */
export const productName = 'Vör'

export const plainText = 'text/plain; charset=utf-8'
/** Prometheus text format. */
export const metricsText = 'text/plain; version=0.0.4; charset=utf-8'

export function reply(
	response: ServerResponse,
	status: number,
	body: string | Uint8Array,
	contentType = plainText,
): void {
	const bytes = typeof body === 'string' ? Buffer.from(body) : body
	response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length })
	response.end(bytes)
}

export function notFound(response: ServerResponse): void {
	reply(response, 404, '404 page not found\n')
}

export function replyJson(response: ServerResponse, value: unknown, contentType = plainText): void {
	reply(response, 200, JSON.stringify(value), contentType)
}
