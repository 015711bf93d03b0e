/** Pipelines of the tests: the stage components wired one after the other, to a collector. */
import { pipelineText } from '../../../src/bench/pipeline.ts'

export interface PipelineOptions {
	/** Body of `ebpf.ringbuf`, without `output`. */
	readonly ringbuf?: string
	readonly correlate?: string
	readonly propagate?: string
	/** Seconds between metric exports. */
	readonly interval?: string
	/** host:port of the collector; without one, spans end in the aggregation. */
	readonly endpoint?: string
}

/** Selects by ports and executables; conditions of one list are ORed. */
export function selecting(options: {
	ports?: readonly number[]
	executables?: readonly string[]
	/** Executables that the kernel is told to leave alone at once. */
	exclude?: readonly string[]
}): string {
	const blocks: string[] = []
	if (options.ports !== undefined) blocks.push(`instrument { open_ports = "${options.ports.join(',')}" }`)
	for (const glob of options.executables ?? []) blocks.push(`instrument { exe_path = "${glob}" }`)
	for (const glob of options.exclude ?? []) blocks.push(`exclude_instrument { exe_path = "${glob}" }`)
	return `discovery {\n${blocks.map((block) => `\t\t${block.replace('{ ', '{\n\t\t\t').replace(' }', '\n\t\t}')}`).join('\n')}\n\t}`
}

export const stages = (options: PipelineOptions): string =>
	`\n${pipelineText({
		label: 't',
		ringbuf: options.ringbuf ?? '',
		...(options.correlate === undefined ? {} : { correlate: options.correlate }),
		...(options.propagate === undefined ? {} : { propagate: options.propagate }),
		aggregate: `interval = "${options.interval ?? '1s'}"`,
		// Patient: what a collector on a busy machine takes but does not answer in time is sent again, and counted twice.
		exporter:
			options.endpoint === undefined
				? undefined
				: { label: 'judge', endpoint: options.endpoint, timeout: '1m' },
	})}`
