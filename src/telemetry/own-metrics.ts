import type { Counter, MetricRegistry } from './registry.ts'

/** Counters that several rooms add to: the name, help and labels stand here once. Asked twice, the same counter. */

/** Client requests whose parent could not be told; labels: reason. */
export function parentAbsentCounter(registry: MetricRegistry): Counter {
	return registry.counter(
		'vor_parent_absent_total',
		'Client requests without exact evidence for the request that caused them.',
		['reason'],
	)
}

/** Connections that cannot be read; labels: service name, protocol (tls, http2, unknown). */
export function unreadableConnectionsCounter(registry: MetricRegistry): Counter {
	return registry.counter('vor_connections_total', 'Connections that Vör sees but cannot read.', [
		'service_name',
		'protocol',
	])
}
