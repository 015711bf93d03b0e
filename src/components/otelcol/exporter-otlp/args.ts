import { attr, block, defineArgs, optionalBlock } from '../../../eval/args.ts'
import {
	bool,
	capsule,
	duration,
	enumOf,
	float,
	int,
	list,
	map,
	optional,
	secret,
	string,
} from '../../../eval/types.ts'
import { byteSize } from '../../common/bytes.ts'

/** The shared blocks of Alloy's OTLP exporters, with Alloy's defaults. */
export const tls = defineArgs({
	insecure: attr(bool),
	insecure_skip_verify: attr(bool),
	ca_file: attr(string),
	ca_pem: attr(string),
	cert_file: attr(string),
	cert_pem: attr(string),
	key_file: attr(string),
	key_pem: attr(secret),
	server_name: attr(string),
	min_version: attr(string, { default: 'TLS 1.2' }),
	max_version: attr(string, { default: 'TLS 1.3' }),
	cipher_suites: attr(list(string)),
	curve_preferences: attr(list(string)),
	include_insecure_cipher_suites: attr(bool, { notYet: true }),
	include_system_ca_certs_pool: attr(bool),
	reload_interval: attr(duration, { notYet: true }),
	tpm: optionalBlock(
		{ enabled: attr(bool), path: attr(string), auth: attr(string), owner_auth: attr(string) },
		{ notYet: true },
	),
})

const compressions = enumOf(
	['gzip', 'zlib', 'deflate', 'snappy', 'zstd', 'none', ''],
	(text) => `unrecognized compression type "${text}"`,
)

const client = defineArgs({
	endpoint: attr(string, {
		required: true,
		doc: '`host:port` of an OTLP/gRPC receiver. `https://` forces TLS.',
	}),
	compression: attr(compressions, { default: 'gzip', doc: '`gzip` or `none`.' }),
	tls: block(tls),
	keepalive: optionalBlock({
		ping_wait: attr(optional(duration)),
		ping_response_timeout: attr(optional(duration)),
		ping_without_stream: attr(optional(bool)),
	}),
	headers: attr(map(string), { doc: 'Sent with every request; never logged.' }),
	auth: attr(capsule('otelcol.Handler'), { notYet: true }),
	balancer_name: attr(string, { default: 'round_robin' }),
	wait_for_ready: attr(bool),
	authority: attr(string),
	read_buffer_size: attr(byteSize, { notYet: true }),
	write_buffer_size: attr(byteSize, { default: 512 * 1024, notYet: true }),
})

export const args = defineArgs({
	timeout: attr(duration, { default: 5000, doc: 'Of one attempt.' }),
	client: block(client, { required: true }),
	sending_queue: block({
		enabled: attr(bool, { default: true }),
		num_consumers: attr(int, { default: 10 }),
		queue_size: attr(int, { default: 1000 }),
		sizer: attr(string, { default: 'requests' }),
		block_on_overflow: attr(bool),
		wait_for_result: attr(bool),
		storage: attr(capsule('otelcol.Handler'), { notYet: true }),
		batch: optionalBlock({
			flush_timeout: attr(duration, { default: 200 }),
			min_size: attr(int, { default: 2000 }),
			max_size: attr(int, { default: 3000 }),
			sizer: attr(string, { default: 'items' }),
		}),
	}),
	retry_on_failure: block({
		enabled: attr(bool, { default: true }),
		initial_interval: attr(duration, { default: 5000 }),
		randomization_factor: attr(float, { default: 0.5 }),
		multiplier: attr(float, { default: 1.5 }),
		max_interval: attr(duration, { default: 30_000 }),
		max_elapsed_time: attr(duration, { default: 300_000, doc: '"0s" = for ever.' }),
	}),
	debug_metrics: block({
		disable_high_cardinality_metrics: attr(bool, { default: true }),
		level: attr(string, { deprecated: 'it has no effect' }),
	}),
})
