import { attr, block, blocks, defineArgs } from '../../../../eval/args.ts'
import { bool, duration, int, list, string } from '../../../../eval/types.ts'
import { later, oneOf } from './common.ts'
import { selectorArgs } from './discovery.ts'

const enabled = block({ enabled: attr(bool) })

const enrichment = {
	enabled: attr(bool),
	policy: block({
		default_action: block({ body: attr(string), headers: attr(string) }),
		obfuscation_string: attr(string),
	}),
	rules: blocks({
		action: attr(string),
		match: block({
			case_sensitive: attr(bool),
			methods: attr(list(string)),
			obfuscation_json_paths: attr(list(string)),
			patterns: attr(list(string)),
			url_path_patterns: attr(list(string)),
		}),
		scope: attr(string),
		type: attr(string),
	}),
}

const payloads = {
	aws: enabled,
	elasticsearch: enabled,
	enrichment: block(enrichment),
	openai: enabled,
	anthropic: enabled,
	gemini: enabled,
	bedrock: enabled,
	embedding: enabled,
	mcp: enabled,
	qwen: enabled,
	rerank: enabled,
	retrieval: enabled,
	graphql: enabled,
	jsonrpc: enabled,
	sqlpp: block({ enabled: attr(bool), endpoint_patterns: attr(list(string)) }),
}

/** Beyla's knobs of its eBPF programs. Vör's programs are others: most of these mean nothing to them. */
export const ebpfArgs = defineArgs({
	context_propagation: attr(oneOf(['disabled', 'all', 'headers', 'tcp']), {
		notYet: true,
		default: 'disabled',
		doc: 'Vör joins the two ends of a request on one host without changing traffic; it inserts no headers yet.',
	}),
	http_request_timeout: later(duration),
	track_request_headers: later(bool),
	high_request_volume: later(bool),
	heuristic_sql_detect: later(bool),
	wakeup_len: later(int, 'Nothing wakes up per record: the ring buffer is drained on a timer.'),
	batch_length: later(int),
	batch_timeout: later(duration),
	bpf_debug: later(bool),
	bpf_fs_path: later(string),
	buffer_sizes: block(
		{
			http: attr(int),
			kafka: attr(int),
			mssql: attr(int),
			mysql: attr(int),
			postgres: attr(int),
			tcp: attr(int),
		},
		{ notYet: true },
	),
	couchbase_db_cache_size: later(int),
	disable_black_box_cp: later(bool),
	dns_request_timeout: later(duration),
	force_bpf_map_reader: later(string),
	instrument_cuda: later(int),
	kafka_topic_uuid_cache_size: later(int),
	log_enricher: block(
		{
			async_writer_channel_len: attr(int),
			async_writer_workers: attr(int),
			cache_size: attr(int),
			cache_ttl: attr(duration),
			services: blocks({ service: blocks(selectorArgs) }),
		},
		{ notYet: true },
	),
	maps_config: block({ global_scale_factor: attr(int) }, { notYet: true }),
	max_transaction_time: later(duration),
	mongo_requests_cache_size: later(int),
	mssql_prepared_statements_cache_size: later(int),
	mysql_prepared_statements_cache_size: later(int),
	override_bpfloop_enabled: later(bool),
	payload_extraction: block({ http: block(payloads) }, { notYet: true }),
	postgres_prepared_statements_cache_size: later(int),
	protocol_debug_print: later(bool),
	redis_db_cache: block({ enabled: attr(bool), max_size: attr(int) }, { notYet: true }),
	stats_wakeup_data_bytes: later(int),
	traffic_control_backend: later(string),
})
