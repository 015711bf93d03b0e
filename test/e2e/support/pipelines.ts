/** Pipelines of the tests: the stage components wired one after the other, to a collector. */

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

export function stages(options: PipelineOptions): string {
	const exporter = options.endpoint === undefined ? '' : 'otelcol.exporter.otlp.judge.input'
	const sinks = ['ebpf.aggregate.t.input', exporter].filter((name) => name !== '').join(', ')
	return `
ebpf.ringbuf "t" {
	${options.ringbuf ?? ''}

	output {
		records = [ebpf.decode.t.input]
	}
}

ebpf.decode "t" {
	output {
		exchanges = [ebpf.correlate.t.input]
	}
}

ebpf.correlate "t" {
	${options.correlate ?? ''}

	output {
		spans = [ebpf.propagate.t.input]
	}
}

ebpf.propagate "t" {
	${options.propagate ?? ''}

	output {
		traces = [${sinks}]
	}
}

ebpf.aggregate "t" {
	interval = "${options.interval ?? '1s'}"

	output {
		metrics = [${exporter}]
	}
}
${
	options.endpoint === undefined
		? ''
		: `
otelcol.exporter.otlp "judge" {
	client {
		endpoint = "${options.endpoint}"

		tls {
			insecure = true
		}
	}
}
`
}`
}
