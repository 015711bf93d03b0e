import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { createOtlpExporter } from '../../../export/otlp-grpc-exporter.ts'
import type { OtlpExporterInput } from '../../../export/otlp-options.ts'
import { shown } from '../../../flow/live.ts'
import type { TelemetryConsumer } from '../../../flow/ports.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import { telemetryConsumer } from '../../common/capsules.ts'
import type { Services } from '../../services.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'
import { traceRequests } from './trace-requests.ts'

type Args = ArgsOf<typeof schema>

/** Detach, drain and flush together have 5 s at shutdown (design, section 10). */
const STOP_MS = 4000

export const defineOtlpExporter = (
	services: Services,
): ComponentDefinition<Args, { readonly input: TelemetryConsumer | undefined }> => ({
	name: 'otelcol.exporter.otlp',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ input: telemetryConsumer }),
	metadata,
	build(options, args) {
		const requests = services.ownTraces === undefined ? undefined : traceRequests(services.ownTraces, options)
		const exporter = createOtlpExporter(inputOf(args), {
			meter: options.accounting.meter(options.path, options.id),
			log: options.logger,
			version: services.version,
			...(requests === undefined ? {} : { watch: requests.watch }),
		})
		const traces = shown(options.live, 'spans', exporter.traces)
		const view = { families: exporter.families }
		services.exporters.add(options, view)
		options.onStateChange({
			input: {
				kind: 'telemetry',
				owner: options.id,
				mutates: false,
				traces:
					requests === undefined
						? traces
						: {
								...traces,
								next(batch) {
									requests.saw(batch)
									traces.next(batch)
								},
							},
				metrics: shown(options.live, 'metrics', exporter.metrics),
			},
		})
		return {
			async start() {
				options.reportHealth({ state: 'healthy', message: 'started scheduled components' })
			},
			update: () => 'restart',
			async stop() {
				await exporter.stop(STOP_MS)
				services.exporters.remove(options, view)
			},
		}
	},
})

function inputOf({
	timeout,
	client,
	sending_queue: queue,
	retry_on_failure: retry,
}: Args): OtlpExporterInput {
	const { tls, keepalive } = client
	return {
		timeoutMs: timeout,
		client: {
			endpoint: client.endpoint,
			compression: client.compression,
			tls: {
				insecure: tls.insecure,
				insecureSkipVerify: tls.insecure_skip_verify,
				caFile: tls.ca_file,
				caPem: tls.ca_pem,
				certFile: tls.cert_file,
				certPem: tls.cert_pem,
				keyFile: tls.key_file,
				keyPem: tls.key_pem.reveal(),
				serverName: tls.server_name,
				minVersion: tls.min_version,
				maxVersion: tls.max_version,
				cipherSuites: tls.cipher_suites,
				curvePreferences: tls.curve_preferences,
				includeSystemCaCertsPool: tls.include_system_ca_certs_pool,
			},
			keepalive:
				keepalive === undefined
					? undefined
					: {
							pingWaitMs: keepalive.ping_wait,
							pingResponseTimeoutMs: keepalive.ping_response_timeout,
							pingWithoutStream: keepalive.ping_without_stream,
						},
			headers: client.headers,
			balancerName: client.balancer_name,
			waitForReady: client.wait_for_ready,
			authority: client.authority,
		},
		sendingQueue: {
			enabled: queue.enabled,
			numConsumers: queue.num_consumers,
			queueSize: queue.queue_size,
			sizer: queue.sizer as 'requests' | 'items' | 'bytes',
			blockOnOverflow: queue.block_on_overflow,
			waitForResult: queue.wait_for_result,
			...(queue.batch === undefined
				? {}
				: {
						batch: {
							flushTimeoutMs: queue.batch.flush_timeout,
							minSize: queue.batch.min_size,
							maxSize: queue.batch.max_size,
							sizer: queue.batch.sizer as 'items' | 'bytes',
						},
					}),
		},
		retryOnFailure: {
			enabled: retry.enabled,
			initialIntervalMs: retry.initial_interval,
			randomizationFactor: retry.randomization_factor,
			multiplier: retry.multiplier,
			maxIntervalMs: retry.max_interval,
			maxElapsedMs: retry.max_elapsed_time,
		},
	}
}
