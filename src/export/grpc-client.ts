import {
	type ChannelOptions,
	Client,
	type ClientUnaryCall,
	compressionAlgorithms,
	connectivityState,
	credentials,
	Metadata,
	type ServiceError,
} from '@grpc/grpc-js'
import { VorError } from '../util/errors.ts'
import { parseGrpcEndpoint } from './grpc-endpoint.ts'
import type { OtlpClientOptions } from './otlp-options.ts'
import { tlsCredentials } from './tls-credentials.ts'

/** One channel; sends bytes that are already encoded. */
export interface GrpcClient {
	/** Fails with the `ServiceError` of gRPC. */
	send(method: string, request: Uint8Array, timeoutMs: number): Promise<Uint8Array>
	/** A connection is up now. */
	connected(): boolean
	/** Called once, when the channel is (again) connected. */
	onceReady(act: () => void): void
	readonly tls: boolean
	/** Ends the calls that are under way too. */
	close(): void
}

const identity = (bytes: Buffer): Buffer => bytes

export function createGrpcClient(options: OtlpClientOptions, userAgent: string): GrpcClient {
	const endpoint = parseGrpcEndpoint(options.endpoint)
	const tls = endpoint.tls ?? !options.tls.insecure
	const metadata = headers(options)
	const client = new Client(
		endpoint.target,
		tls ? tlsCredentials(options.tls) : credentials.createInsecure(),
		channelOptions(options, userAgent),
	)
	const calls = new Set<ClientUnaryCall>()
	const channel = client.getChannel()
	let closed = false
	return {
		tls,
		send: (method, request, timeoutMs) =>
			new Promise((resolve, reject) => {
				const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength)
				const call = timeoutMs > 0 ? { deadline: Date.now() + timeoutMs } : {}
				const done = (error: ServiceError | null, reply?: Buffer) => {
					calls.delete(active)
					if (error !== null) reject(error)
					else resolve(reply ?? Buffer.alloc(0))
				}
				const active = client.makeUnaryRequest(method, identity, identity, bytes, metadata, call, done)
				calls.add(active)
			}),
		connected: () => channel.getConnectivityState(false) === connectivityState.READY,
		onceReady(act) {
			const watch = () => {
				if (closed) return
				const state = channel.getConnectivityState(true)
				if (state === connectivityState.READY) act()
				else channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, watch)
			}
			watch()
		},
		close() {
			closed = true
			for (const call of calls) call.cancel()
			client.close()
		},
	}
}

function channelOptions(options: OtlpClientOptions, userAgent: string): ChannelOptions {
	const result: ChannelOptions = {
		'grpc.primary_user_agent': userAgent,
		'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [options.balancerName]: {} }] }),
		// No TXT look-up for a service configuration: it costs a query for every connection and nobody uses it here.
		'grpc.service_config_disable_resolution': 1,
		// Retrying is ours, so that what waits is counted.
		'grpc.enable_retries': 0,
		// gRPC's own 1 s … 2 min would keep a backend that is back waiting for minutes.
		'grpc.initial_reconnect_backoff_ms': 500,
		'grpc.max_reconnect_backoff_ms': 2000,
		// A channel of its own: another exporter's options and connections are not ours.
		'grpc.use_local_subchannel_pool': 1,
		'grpc.max_receive_message_length': 4 * 1024 * 1024,
	}
	if (options.compression === 'gzip')
		result['grpc.default_compression_algorithm'] = compressionAlgorithms.gzip
	if (options.authority !== '') result['grpc.default_authority'] = options.authority
	if (options.tls.serverName !== '') result['grpc.ssl_target_name_override'] = options.tls.serverName
	const keepalive = options.keepalive
	if (keepalive?.pingWaitMs !== undefined) result['grpc.keepalive_time_ms'] = keepalive.pingWaitMs
	if (keepalive?.pingResponseTimeoutMs !== undefined) {
		result['grpc.keepalive_timeout_ms'] = keepalive.pingResponseTimeoutMs
	}
	if (keepalive?.pingWithoutStream !== undefined) {
		result['grpc.keepalive_permit_without_calls'] = keepalive.pingWithoutStream ? 1 : 0
	}
	return result
}

function headers(options: OtlpClientOptions): Metadata {
	const metadata = new Metadata({ waitForReady: options.waitForReady })
	for (const [name, value] of Object.entries(options.headers)) {
		try {
			metadata.set(name, name.toLowerCase().endsWith('-bin') ? Buffer.from(value, 'base64') : value)
		} catch {
			// gRPC's message holds the value, which may be a secret.
			throw new VorError('E_CONFIG', `header "${name}" cannot be sent over gRPC`, {
				fix: 'use letters, digits, "-", "_" and "." in its name and printable ASCII in its value',
			})
		}
	}
	return metadata
}
