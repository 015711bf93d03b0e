/** A configuration with the stage components wired one after the other. Bodies are Alloy text without the block's output. */
export interface PipelineParts {
	/** Of every component but the exporter. */
	readonly label: string
	/** undefined: nothing is captured. */
	readonly ringbuf: string | undefined
	readonly correlate?: string
	readonly propagate?: string
	readonly aggregate?: string
	/** Without one, spans end in the aggregation. */
	readonly exporter?:
		| {
				readonly label: string
				readonly endpoint: string
				/** Of one attempt, as the file writes it; without one, the component's own. */
				readonly timeout?: string
		  }
		| undefined
}

const CLIENT = (endpoint: string): string => `client {
		endpoint = "${endpoint}"

		tls {
			insecure = true
		}
	}`

export function pipelineText(parts: PipelineParts): string {
	const { label, ringbuf, exporter } = parts
	const stage = (name: string, body: string | undefined, output: string, inputs: readonly string[]): string =>
		block(`ebpf.${name}`, label, [body ?? '', `output {\n\t\t${output} = [${inputs.join(', ')}]\n\t}`])
	const to = (name: string): string => `ebpf.${name}.${label}.input`
	const sinks = exporter === undefined ? [] : [`otelcol.exporter.otlp.${exporter.label}.input`]
	return [
		...(ringbuf === undefined ? [] : [stage('ringbuf', ringbuf, 'records', [to('decode')])]),
		stage('decode', '', 'exchanges', [to('correlate')]),
		stage('correlate', parts.correlate, 'spans', [to('propagate')]),
		stage('propagate', parts.propagate, 'traces', [to('aggregate'), ...sinks]),
		stage('aggregate', parts.aggregate, 'metrics', sinks),
		...(exporter === undefined
			? []
			: [
					block('otelcol.exporter.otlp', exporter.label, [
						exporter.timeout === undefined ? '' : `timeout = "${exporter.timeout}"`,
						CLIENT(exporter.endpoint),
					]),
				]),
	].join('\n')
}

const block = (name: string, label: string, parts: readonly string[]): string =>
	`${name} "${label}" {\n${parts
		.filter((part) => part !== '')
		.map((part) => `\t${part}\n`)
		.join('\n')}}\n`
