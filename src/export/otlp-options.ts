import { VorError } from '../util/errors.ts'

/** Arguments of `otelcol.exporter.otlp`: Alloy's names in camel case, durations in ms. Alloy's defaults. */
export interface OtlpExporterOptions {
	/** Of one attempt. */
	readonly timeoutMs: number
	readonly client: OtlpClientOptions
	readonly sendingQueue: SendingQueueOptions
	readonly retryOnFailure: RetryOptions
	/** Ours: a request is split before it is longer than this, uncompressed. Receivers refuse more than 4 MiB. */
	readonly maxRequestBytes: number
	/** Ours: bytes of one signal's queue, whatever its sizer; an outage must not fill the memory. */
	readonly maxQueueBytes: number
}

export interface OtlpClientOptions {
	readonly endpoint: string
	readonly compression: string
	readonly tls: TlsOptions
	readonly keepalive: KeepaliveOptions | undefined
	/** Sent with every request. May hold secrets: never logged. */
	readonly headers: Readonly<Record<string, string>>
	readonly balancerName: string
	readonly waitForReady: boolean
	readonly authority: string
}

export interface TlsOptions {
	readonly insecure: boolean
	readonly insecureSkipVerify: boolean
	readonly caFile: string
	readonly caPem: string
	readonly certFile: string
	readonly certPem: string
	readonly keyFile: string
	readonly keyPem: string
	readonly serverName: string
	readonly minVersion: string
	readonly maxVersion: string
	readonly cipherSuites: readonly string[]
	readonly curvePreferences: readonly string[]
	readonly includeSystemCaCertsPool: boolean
}

/** Undefined = left to gRPC, as in Alloy. */
export interface KeepaliveOptions {
	readonly pingWaitMs?: number | undefined
	readonly pingResponseTimeoutMs?: number | undefined
	readonly pingWithoutStream?: boolean | undefined
}

export interface SendingQueueOptions {
	readonly enabled: boolean
	readonly numConsumers: number
	/** In units of `sizer`. */
	readonly queueSize: number
	readonly sizer: 'requests' | 'items' | 'bytes'
	readonly blockOnOverflow: boolean
	readonly waitForResult: boolean
	/** On by default, unlike in Alloy, because nothing stands before us that batches; `undefined` = off. */
	readonly batch: BatchOptions | undefined
}

export interface BatchOptions {
	readonly flushTimeoutMs: number
	readonly minSize: number
	/** 0 = no limit. */
	readonly maxSize: number
	readonly sizer: 'items' | 'bytes'
}

export interface RetryOptions {
	readonly enabled: boolean
	readonly initialIntervalMs: number
	readonly randomizationFactor: number
	readonly multiplier: number
	readonly maxIntervalMs: number
	/** 0 = for ever. */
	readonly maxElapsedMs: number
}

export const BATCH_DEFAULTS: BatchOptions = {
	flushTimeoutMs: 200,
	minSize: 2000,
	maxSize: 3000,
	sizer: 'items',
}

const TLS_DEFAULTS: TlsOptions = {
	insecure: false,
	insecureSkipVerify: false,
	caFile: '',
	caPem: '',
	certFile: '',
	certPem: '',
	keyFile: '',
	keyPem: '',
	serverName: '',
	minVersion: 'TLS 1.2',
	maxVersion: 'TLS 1.3',
	cipherSuites: [],
	curvePreferences: [],
	includeSystemCaCertsPool: false,
}

/** What may be left out is left out. `endpoint` may not. */
export interface OtlpExporterInput {
	readonly timeoutMs?: number
	readonly client: { readonly endpoint: string; readonly tls?: Partial<TlsOptions> } & Partial<
		Omit<OtlpClientOptions, 'endpoint' | 'tls'>
	>
	readonly sendingQueue?: Partial<SendingQueueOptions>
	readonly retryOnFailure?: Partial<RetryOptions>
	readonly maxRequestBytes?: number
	readonly maxQueueBytes?: number
}

/** The whole set, checked. Throws `E_CONFIG` that names the argument. */
export function otlpExporterOptions(input: OtlpExporterInput): OtlpExporterOptions {
	const options: OtlpExporterOptions = {
		timeoutMs: input.timeoutMs ?? 5000,
		client: {
			compression: 'gzip',
			keepalive: undefined,
			headers: {},
			balancerName: 'round_robin',
			waitForReady: false,
			authority: '',
			...input.client,
			tls: { ...TLS_DEFAULTS, ...input.client.tls },
		},
		sendingQueue: {
			enabled: true,
			numConsumers: 10,
			queueSize: 1000,
			sizer: 'requests',
			blockOnOverflow: false,
			waitForResult: false,
			batch: BATCH_DEFAULTS,
			...input.sendingQueue,
		},
		retryOnFailure: {
			enabled: true,
			initialIntervalMs: 5000,
			randomizationFactor: 0.5,
			multiplier: 1.5,
			maxIntervalMs: 30_000,
			maxElapsedMs: 300_000,
			...input.retryOnFailure,
		},
		maxRequestBytes: input.maxRequestBytes ?? 4 * 1024 * 1024 - 64 * 1024,
		maxQueueBytes: input.maxQueueBytes ?? 256 * 1024 * 1024,
	}
	check(options)
	return options
}

function check({ client, sendingQueue: queue, retryOnFailure: retry, ...top }: OtlpExporterOptions): void {
	if (top.timeoutMs < 0) refuse('`timeout` must not be negative')
	if (client.compression !== 'gzip' && client.compression !== 'none' && client.compression !== '') {
		refuse(`unsupported compression type "${client.compression}"`, 'set compression to "gzip" or "none"')
	}
	if (client.balancerName !== 'round_robin' && client.balancerName !== 'pick_first') {
		refuse(
			`invalid balancer_name: ${client.balancerName}`,
			'set balancer_name to "round_robin" or "pick_first"',
		)
	}
	if (queue.enabled && queue.queueSize <= 0) refuse('`queue_size` must be positive')
	if (queue.numConsumers <= 0) refuse('`num_consumers` must be positive')
	if (!['requests', 'items', 'bytes'].includes(queue.sizer)) refuse(`invalid sizer: ${queue.sizer}`)
	if (queue.blockOnOverflow) {
		refuse(
			'`block_on_overflow` cannot be honoured: what the kernel sees does not wait',
			'leave it false; what finds no room is dropped and counted, so raise queue_size for longer outages',
		)
	}
	if (queue.waitForResult) {
		refuse('`wait_for_result` cannot be honoured: nothing upstream waits for an answer', 'leave it false')
	}
	const batch = queue.batch
	if (batch !== undefined) {
		if (batch.sizer !== 'items' && batch.sizer !== 'bytes') {
			refuse(`\`batch\` supports only \`items\` or \`bytes\` sizer, not ${String(batch.sizer)}`)
		}
		if (batch.flushTimeoutMs <= 0) refuse('`flush_timeout` must be positive')
		if (batch.minSize < 0) refuse('`min_size` must be non-negative')
		if (batch.maxSize < 0) refuse('`max_size` must be non-negative')
		if (batch.maxSize > 0 && batch.maxSize < batch.minSize)
			refuse('`max_size` must be greater or equal to `min_size`')
		if (queue.enabled && batch.sizer === queue.sizer && batch.minSize > queue.queueSize) {
			refuse('`min_size` must be less than or equal to `queue_size`')
		}
	}
	if (retry.initialIntervalMs < 0) refuse('`initial_interval` must be non-negative')
	if (!(retry.randomizationFactor >= 0 && retry.randomizationFactor <= 1)) {
		refuse('`randomization_factor` must be within [0, 1]')
	}
	if (!(retry.multiplier > 1)) refuse('`multiplier` must be greater than 1.0')
	if (retry.maxIntervalMs < 0) refuse('`max_interval` must be non-negative')
	if (retry.maxElapsedMs < 0) refuse('`max_elapsed_time` must be non-negative')
	if (top.maxRequestBytes < 16 * 1024) refuse('the limit of a request must be 16 KiB or more')
}

function refuse(message: string, fix = ''): never {
	throw new VorError('E_CONFIG', message, { fix })
}
