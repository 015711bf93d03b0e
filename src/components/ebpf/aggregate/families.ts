import type { Aggregator } from '../../../aggregate/index.ts'
import type { Labels, MetricFamily } from '../../../telemetry/metric-family.ts'

/** The aggregation's own figures beside the accounting. */
export function aggregateFamilies(aggregator: Aggregator, labels: Labels): MetricFamily[] {
	const one = (name: string, type: 'counter' | 'gauge', help: string, value: number): MetricFamily => ({
		name,
		type,
		help,
		samples: [{ suffix: '', labels, value }],
	})
	const { counters } = aggregator
	return [
		one('vor_series', 'gauge', 'RED series held.', aggregator.seriesCount),
		one(
			'vor_series_overflowed_total',
			'counter',
			'Exchanges counted in an overflow series.',
			counters.overflowed,
		),
		one(
			'vor_series_expired_total',
			'counter',
			'Series removed after their process was gone.',
			counters.expired,
		),
		one(
			'vor_fallback_requests_total',
			'counter',
			'Requests that the kernel counted instead of recording.',
			counters.fallbackRequests,
		),
		one(
			'vor_fallback_unknown_process_total',
			'counter',
			'Of those, requests of processes nothing is known of: in no series.',
			counters.fallbackUnknownProcess,
		),
		one(
			'vor_fallback_rejected_total',
			'counter',
			'Of those, requests of processes that are not selected, made before the kernel was told: in no series.',
			counters.fallbackRejected,
		),
	]
}
