/** Words that Alloy's `beyla.ebpf` accepts, in the order in which its messages list them. */
export const INSTRUMENTATIONS = [
	'*',
	'amqp',
	'couchbase',
	'dns',
	'genai',
	'gpu',
	'grpc',
	'http',
	'kafka',
	'memcached',
	'mongo',
	'mqtt',
	'nats',
	'redis',
	'sql',
	'sunrpc',
] as const

export const FEATURES = [
	'*',
	'all',
	'application',
	'application_host',
	'application_jvm',
	'application_process',
	'application_runtime',
	'application_service_graph',
	'application_span',
	'application_span_otel',
	'application_span_sizes',
	'ebpf',
	'network',
	'network_flow_packets',
	'network_inter_zone',
	'stats',
	'stats_tcp_failed_connections',
	'stats_tcp_io',
	'stats_tcp_retransmits',
	'stats_tcp_rtt',
] as const

/** Features that say something about single programs: they make no sense without `discovery`. */
export const APPLICATION_FEATURES: ReadonlySet<string> = new Set([
	'*',
	'all',
	'application',
	'application_host',
	'application_process',
	'application_service_graph',
	'application_span',
	'application_span_otel',
	'application_span_sizes',
])

/** Features that give RED metrics. */
export const RED_FEATURES: ReadonlySet<string> = new Set(['*', 'all', 'application'])

export const SAMPLERS = [
	'always_off',
	'always_on',
	'parentbased_always_off',
	'parentbased_always_on',
	'parentbased_traceidratio',
	'traceidratio',
] as const

export const TRACE_PRINTERS = ['counter', 'disabled', 'json', 'json_indent', 'text'] as const

/** The first value that is not among the known ones. */
export const firstUnknown = (values: readonly string[], known: readonly string[]): string | undefined =>
	values.find((value) => !known.includes(value))
