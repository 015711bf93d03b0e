import type { Accounting } from './accounting.ts'
import type { Labels, MetricFamily, Sample } from './metric-family.ts'

/** The accounting of all stages (design, section 5) as Prometheus families, under `component_path`, `component_id`. */
export function accountingFamilies(accounting: Accounting): MetricFamily[] {
	const received: Sample[] = []
	const sent: Sample[] = []
	const dropped: Sample[] = []
	const produced: Sample[] = []
	const held: Sample[] = []
	for (const stage of accounting.totals()) {
		const labels: Labels = [
			['component_path', stage.path],
			['component_id', stage.id],
		]
		received.push({ suffix: '', labels, value: stage.received })
		sent.push({ suffix: '', labels, value: stage.sent })
		held.push({ suffix: '', labels, value: stage.held() })
		for (const [reason, { count, intentional }] of stage.dropped) {
			const why: Labels = [...labels, ['reason', reason], ['intentional', String(intentional)]]
			dropped.push({ suffix: '', labels: why, value: count })
		}
		for (const [unit, count] of stage.produced) {
			produced.push({ suffix: '', labels: [...labels, ['unit', unit]], value: count })
		}
	}
	return [
		family('vor_component_received_total', 'counter', 'Items a stage took in, in its input unit.', received),
		family('vor_component_sent_total', 'counter', 'Items a stage handed on, in its input unit.', sent),
		family('vor_component_dropped_total', 'counter', 'Items a stage dropped, with the reason.', dropped),
		family('vor_component_produced_total', 'counter', 'Items a stage made in another unit.', produced),
		family('vor_component_held', 'gauge', 'Items a stage holds now, in its input unit.', held),
	]
}

function family(
	name: string,
	type: 'counter' | 'gauge',
	help: string,
	samples: readonly Sample[],
): MetricFamily {
	return { name, type, help, samples }
}
