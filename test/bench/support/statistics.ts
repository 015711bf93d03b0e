import { cpus, loadavg, release } from 'node:os'
import { median, quantile } from '../../../src/bench/statistics.ts'

export { median, quantile }

/** Half of the 95 % interval of a median, by order statistics: what the machine's other work leaves unsure. */
export function medianError(values: readonly number[]): number {
	const half = 0.98 / Math.sqrt(Math.max(1, values.length))
	return (quantile(values, 0.5 + half) - quantile(values, Math.max(0, 0.5 - half))) / 2
}

/** The verdict of a figure against the goal and pass mark. */
export function verdict(value: number, goal: number, mark: number): string {
	if (value <= goal) return `goal ${goal} met`
	return value <= mark
		? `goal ${goal} NOT met, mark ${mark} met`
		: `goal ${goal} NOT met, mark ${mark} NOT met`
}

/** First line of a benchmark: figures mean little without it. */
export function machine(): string {
	const load = loadavg().map((value) => value.toFixed(1))
	return `${cpus().length} CPUs, Linux ${release().split('-')[0]}, Node ${process.version}, load average ${load.join(' ')}`
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
