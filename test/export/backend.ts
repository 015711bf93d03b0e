import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { Metadata, Server, ServerCredentials, type ServiceError, type status } from '@grpc/grpc-js'
import { RetryInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts'
import { StatusSchema } from '../../src/gen/google/rpc/status_pb.ts'
import {
	ExportMetricsServiceRequestSchema,
	ExportMetricsServiceResponseSchema,
} from '../../src/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts'
import {
	ExportTraceServiceRequestSchema,
	ExportTraceServiceResponseSchema,
} from '../../src/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts'

export interface Received {
	readonly signal: 'traces' | 'metrics'
	readonly bytes: number
	readonly items: number
	readonly metadata: Metadata
	readonly atMs: number
}

/** Undefined = success; a response's partial success; an error; or no answer at all. */
export type Answer = undefined | { rejected: number; message?: string } | Partial<ServiceError> | 'silence'

export interface Backend {
	readonly endpoint: string
	readonly received: Received[]
	stop(): void
}

/** An OTLP receiver that answers as the test says, for what a well-behaved collector never does. */
export async function startBackend(answer: (request: Received, index: number) => Answer): Promise<Backend> {
	const received: Received[] = []
	const server = new Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 })
	const identity = (bytes: Buffer) => bytes
	const method = (signal: Received['signal']) => ({
		path: `/opentelemetry.proto.collector.${signal === 'traces' ? 'trace.v1.TraceService' : 'metrics.v1.MetricsService'}/Export`,
		requestStream: false as const,
		responseStream: false as const,
		requestSerialize: identity,
		requestDeserialize: identity,
		responseSerialize: identity,
		responseDeserialize: identity,
	})
	for (const signal of ['traces', 'metrics'] as const) {
		server.addService(
			{ Export: method(signal) },
			{
				Export(
					call: { request: Buffer; metadata: Metadata },
					reply: (error: Partial<ServiceError> | null, bytes?: Buffer) => void,
				) {
					const bytes = call.request
					const items = signal === 'traces' ? countSpans(bytes) : countPoints(bytes)
					const request = {
						signal,
						bytes: bytes.length,
						items,
						metadata: call.metadata,
						atMs: performance.now(),
					}
					received.push(request)
					const said = answer(request, received.length - 1)
					if (said === 'silence') return
					if (said === undefined) reply(null, Buffer.alloc(0))
					else if ('rejected' in said) reply(null, partial(signal, said.rejected, said.message ?? ''))
					else reply(said)
				},
			},
		)
	}
	const port = await new Promise<number>((resolve, reject) => {
		server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
			error === null ? resolve(bound) : reject(error),
		)
	})
	return { endpoint: `127.0.0.1:${port}`, received, stop: () => server.forceShutdown() }
}

/** Details as a backend sends them in `grpc-status-details-bin`. */
export function withRetryInfo(
	code: status,
	seconds: bigint,
	nanos: number,
	message = 'slow down',
): Partial<ServiceError> {
	const info = create(RetryInfoSchema, { retryDelay: { seconds, nanos } })
	const details = create(StatusSchema, {
		code,
		message,
		details: [
			create(AnySchema, {
				typeUrl: 'type.googleapis.com/google.rpc.DebugInfo',
				value: new Uint8Array([10, 1, 65]),
			}),
			create(AnySchema, {
				typeUrl: 'type.googleapis.com/google.rpc.RetryInfo',
				value: toBinary(RetryInfoSchema, info),
			}),
		],
	})
	const metadata = new Metadata()
	metadata.set('grpc-status-details-bin', Buffer.from(toBinary(StatusSchema, details)))
	return { code, details: message, metadata }
}

function countSpans(bytes: Uint8Array): number {
	const request = fromBinary(ExportTraceServiceRequestSchema, bytes)
	return request.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)).length
}

function countPoints(bytes: Uint8Array): number {
	const request = fromBinary(ExportMetricsServiceRequestSchema, bytes)
	return request.resourceMetrics
		.flatMap((r) => r.scopeMetrics.flatMap((s) => s.metrics))
		.reduce((sum, { data }) => sum + (data.value?.dataPoints.length ?? 0), 0)
}

function partial(signal: Received['signal'], rejected: number, errorMessage: string): Buffer {
	const count = BigInt(rejected)
	return Buffer.from(
		signal === 'traces'
			? toBinary(
					ExportTraceServiceResponseSchema,
					create(ExportTraceServiceResponseSchema, {
						partialSuccess: { rejectedSpans: count, errorMessage },
					}),
				)
			: toBinary(
					ExportMetricsServiceResponseSchema,
					create(ExportMetricsServiceResponseSchema, {
						partialSuccess: { rejectedDataPoints: count, errorMessage },
					}),
				),
	)
}
