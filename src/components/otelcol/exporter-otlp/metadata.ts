import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: 'Sends spans and metrics over OTLP/gRPC, to Alloy, an OpenTelemetry Collector, Tempo and others.',
	docs: `Arguments and defaults are Alloy's. Requests are kept below 4 MiB, because receivers refuse more. What finds no
room in the queue, what was refused and what could not be sent in time is dropped and counted with its reason.

A \`https://\` prefix forces TLS and a \`http://\` prefix turns it off, as the OTLP specification says. In Alloy the latter
still needs \`tls { insecure = true }\`, so write that in files for both.`,
	consumes: ['traces', 'metrics'],
	produces: [],
}
