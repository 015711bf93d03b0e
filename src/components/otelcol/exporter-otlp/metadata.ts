import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: 'Sends spans and metrics over OTLP/gRPC, to Alloy, an OpenTelemetry Collector, Tempo and others.',
	docs: `Arguments and defaults are Alloy's. Requests are kept below 4 MiB, because receivers refuse more. What finds no
room in the queue, what was refused and what could not be sent in time is dropped and counted with its reason.

A \`http://\` prefix does not turn TLS off: set \`tls { insecure = true }\` for a receiver without TLS.`,
	consumes: ['traces', 'metrics'],
	produces: [],
}
