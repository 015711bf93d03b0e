import { BinaryReader } from '@bufbuild/protobuf/wire'
import { type ServiceError, status } from '@grpc/grpc-js'

/** What a failed attempt means for the request. */
export interface GrpcFailure {
	/** Name of the gRPC code. */
	readonly code: string
	readonly message: string
	readonly retryable: boolean
	/** The backend asked to wait this long; undefined when it did not say. */
	readonly retryDelayMs: number | undefined
	/** For the log: what the user can do. */
	readonly fix: string
}

/** As the OTLP specification lists them; RESOURCE_EXHAUSTED only when the backend says when to come back. */
const RETRYABLE: ReadonlySet<number> = new Set([
	status.CANCELLED,
	status.DEADLINE_EXCEEDED,
	status.ABORTED,
	status.OUT_OF_RANGE,
	status.UNAVAILABLE,
	status.DATA_LOSS,
])

export function grpcFailure(error: unknown, endpoint: string, tls: boolean): GrpcFailure {
	const { code, details, metadata } = error as Partial<ServiceError>
	const number = typeof code === 'number' ? code : status.UNKNOWN
	const delay = retryInfo(metadata?.get('grpc-status-details-bin')[0])
	const message = details ?? (error instanceof Error ? error.message : String(error))
	return {
		code: status[number] ?? String(number),
		message: message.length > 300 ? `${message.slice(0, 300)}…` : message,
		retryable: RETRYABLE.has(number) || (number === status.RESOURCE_EXHAUSTED && delay !== undefined),
		retryDelayMs: delay,
		fix: fixFor(number, message, endpoint, tls),
	}
}

/** The delay of a `google.rpc.RetryInfo` in an encoded `google.rpc.Status`. Never throws. */
export function retryInfo(details: unknown): number | undefined {
	if (!(details instanceof Uint8Array)) return undefined
	try {
		for (const detail of fields(details, 3)) {
			const type = fields(detail, 1)[0]
			const value = fields(detail, 2)[0]
			if (type === undefined || value === undefined) continue
			if (!new TextDecoder().decode(type).endsWith('/google.rpc.RetryInfo')) continue
			const delay = fields(value, 1)[0]
			return delay === undefined ? 0 : durationMs(delay)
		}
	} catch {
		// A backend's broken details change nothing: the code alone decides, as if there were none.
	}
	return undefined
}

function fields(message: Uint8Array, wanted: number): Uint8Array[] {
	const reader = new BinaryReader(message)
	const found: Uint8Array[] = []
	while (reader.pos < reader.len) {
		const [number, type] = reader.tag()
		if (number === wanted && type === 2) found.push(reader.bytes())
		else reader.skip(type, number)
	}
	return found
}

function durationMs(duration: Uint8Array): number {
	const reader = new BinaryReader(duration)
	let ms = 0
	while (reader.pos < reader.len) {
		const [number, type] = reader.tag()
		if (number === 1 && type === 0) ms += Number(reader.int64()) * 1000
		else if (number === 2 && type === 0) ms += reader.int32() / 1e6
		else reader.skip(type, number)
	}
	return Math.max(0, ms)
}

function fixFor(code: number, message: string, endpoint: string, tls: boolean): string {
	if (/wrong version number|packet length too long|before secure TLS/i.test(message)) {
		return `${endpoint} does not speak TLS: set tls { insecure = true } in client, or use http://`
	}
	if (/certificate|self.signed|altnames|hostname\/IP/i.test(message)) {
		return 'the certificate of the receiver is not trusted: set tls { ca_file = … } or server_name in client'
	}
	switch (code) {
		case status.UNAVAILABLE:
			return tls
				? `start an OTLP/gRPC receiver at ${endpoint}, correct client.endpoint, or set tls { insecure = true } if it has no TLS`
				: `start an OTLP/gRPC receiver at ${endpoint} or correct client.endpoint`
		case status.UNIMPLEMENTED:
			return `${endpoint} does not take this signal over OTLP/gRPC (is it the HTTP port? gRPC is usually on 4317)`
		case status.UNAUTHENTICATED:
		case status.PERMISSION_DENIED:
			return 'check the credentials in client.headers'
		case status.RESOURCE_EXHAUSTED:
			return 'raise the limits of the receiver, or send less'
		case status.DEADLINE_EXCEEDED:
			return 'raise timeout, or look why the receiver is slow'
		default:
			return ''
	}
}
