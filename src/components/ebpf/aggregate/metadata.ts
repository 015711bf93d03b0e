import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary:
		'Makes RED metrics of spans and of the requests that the kernel counted where it had no room for a record.',
	docs: `Request duration and body sizes of HTTP servers and clients: cumulative histograms with explicit buckets, one
resource a process. Exact also when spans are lost.`,
	consumes: ['traces'],
	produces: ['metrics'],
}
