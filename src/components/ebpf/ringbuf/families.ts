import type { Capture } from '../../../capture/capture.ts'
import type { ProcessTableCounters } from '../../../process/table.ts'
import type { Labels, MetricFamily } from '../../../telemetry/metric-family.ts'

/** The capture's own figures beside the accounting: what the kernel counted and how the drain runs. */
export function captureFamilies(
	capture: Capture,
	processes: ProcessTableCounters,
	labels: Labels,
): MetricFamily[] {
	const { statistics } = capture
	const programs = capture.programs()
	const counter = (name: string, help: string, value: number): MetricFamily => ({
		name,
		type: 'counter',
		help,
		samples: [{ suffix: '', labels, value }],
	})
	const perProgram = (
		name: string,
		help: string,
		value: (each: (typeof programs)[number]) => number,
	): MetricFamily => ({
		name,
		type: 'counter',
		help,
		samples: programs.map((each) => ({
			suffix: '',
			labels: [...labels, ['program', each.program]],
			value: value(each),
		})),
	})
	return [
		{
			name: 'vor_kernel_events_total',
			type: 'counter',
			help: 'What the kernel side counted, by the names of its contract.',
			samples: Object.entries(capture.counters()).map(([name, value]) => ({
				suffix: '',
				labels: [...labels, ['event', name]],
				value,
			})),
		},
		counter('vor_drains_total', 'Readings of the ring buffer.', statistics.drains),
		counter('vor_drained_bytes_total', 'Bytes read from the ring buffer.', statistics.bytes),
		counter('vor_wakeups_total', 'Forced wake-ups by the kernel.', statistics.wakeups),
		counter(
			'vor_malformed_records_total',
			'Records that were not as the contract says.',
			statistics.malformed,
		),
		counter('vor_process_events_total', 'Process events taken in.', processes.events),
		counter('vor_process_scan_failures_total', 'Looks into /proc that failed.', processes.scanFailures),
		counter(
			'vor_processes_unannounced_total',
			'Processes whose records came before any word of them.',
			processes.unannounced,
		),
		perProgram(
			'vor_program_recursion_misses_total',
			'Hook calls that the kernel skipped because the CPU was in a BPF program already.',
			(each) => each.recursionMisses,
		),
		perProgram(
			'vor_program_runs_total',
			'Runs, counted while kernel.bpf_stats_enabled is on.',
			(each) => each.runCount,
		),
		perProgram(
			'vor_program_run_seconds_total',
			'Time in the program, counted while kernel.bpf_stats_enabled is on.',
			(each) => each.runTimeNs / 1e9,
		),
	]
}
