import type { GrpcClient } from './grpc-client.ts'

/** Is told of a request that begins; what it returns is told of its end, with the problem if there was one. */
export type RequestWatch = (method: string, bytes: number) => ((problem?: string) => void) | undefined

/** The client, with every request told to `watch`; one that is tried again is another request. */
export function watchedClient(client: GrpcClient, watch: RequestWatch): GrpcClient {
	return {
		...client,
		async send(method, request, timeoutMs) {
			const ended = watch(method, request.length)
			if (ended === undefined) return client.send(method, request, timeoutMs)
			try {
				const reply = await client.send(method, request, timeoutMs)
				ended()
				return reply
			} catch (reason) {
				ended(reason instanceof Error ? reason.message : String(reason))
				throw reason
			}
		},
	}
}
