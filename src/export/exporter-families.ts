import type { Labels, MetricFamily } from '../telemetry/metric-family.ts'
import type { SenderTotals, Signal } from './signal-sender.ts'

/** The exporter's own metrics under the names that Collector and Alloy dashboards ask for. */
export function exporterFamilies(
	totals: Readonly<Record<Signal, SenderTotals>>,
	labels: Labels,
): MetricFamily[] {
	const families: MetricFamily[] = []
	const add = (name: string, type: 'counter' | 'gauge', help: string, value: number, more: Labels = []) =>
		void families.push({ name, type, help, samples: [{ suffix: '', labels: [...labels, ...more], value }] })
	for (const signal of ['spans', 'metric_points'] as const) {
		const { sent, sendFailed, enqueueFailed, queueSize, queueCapacity } = totals[signal]
		const what = signal.replace('_', ' ')
		add(
			`otelcol_exporter_sent_${signal}_total`,
			'counter',
			`Number of ${what} successfully sent to destination.`,
			sent,
		)
		add(
			`otelcol_exporter_send_failed_${signal}_total`,
			'counter',
			`Number of ${what} in failed attempts to send to destination.`,
			sendFailed,
		)
		add(
			`otelcol_exporter_enqueue_failed_${signal}_total`,
			'counter',
			`Number of ${what} failed to be added to the sending queue.`,
			enqueueFailed,
		)
		const type: Labels = [['data_type', signal === 'spans' ? 'traces' : 'metrics']]
		add(
			'otelcol_exporter_queue_size',
			'gauge',
			'Current size of the retry queue (in batches)',
			queueSize,
			type,
		)
		add(
			'otelcol_exporter_queue_capacity',
			'gauge',
			'Fixed capacity of the retry queue (in batches)',
			queueCapacity,
			type,
		)
	}
	return families
}
