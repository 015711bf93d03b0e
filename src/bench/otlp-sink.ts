import { createServer, type Http2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'

/** A receiver of OTLP over gRPC that says thanks and forgets: what `vor run` sends to while it is measured. */
export interface OtlpSink {
	readonly endpoint: string
	close(): Promise<void>
}

/** An empty message, not compressed: "all was taken". */
const THANKS = Buffer.alloc(5)

export async function startOtlpSink(): Promise<OtlpSink> {
	const server = createServer()
	const sessions = new Set<Http2Session>()
	server.on('session', (session) => {
		sessions.add(session)
		session.once('close', () => sessions.delete(session))
		session.on('error', () => {})
	})
	server.on('stream', (stream) => {
		stream.on('error', () => {})
		stream.resume()
		stream.once('end', () => {
			// Its sender may have given up in the same moment.
			if (stream.destroyed) return
			stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
			stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
			stream.end(THANKS)
		})
	})
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen(0, '127.0.0.1', resolve)
	})
	return {
		endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		async close() {
			for (const session of sessions) session.destroy()
			await new Promise<void>((resolve) => server.close(() => resolve()))
		},
	}
}
