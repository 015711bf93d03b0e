import { readMachine } from '../../../src/bench/machine.ts'
import { bootstrapMedian } from '../../../src/bench/statistics.ts'

/** Half of the 95 % interval of a median: what the machine's other work leaves unsure. */
export function medianError(values: readonly number[]): number {
	const { low, high } = bootstrapMedian(values)
	return (high - low) / 2
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
	const { cpus, kernel, node, loadAverage } = readMachine()
	return `${cpus} CPUs, Linux ${kernel.split('-')[0]}, Node ${node}, load average ${loadAverage.toFixed(1)}`
}
