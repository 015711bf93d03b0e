import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary:
		'Turns exchanges into spans: service, route, names and status, and the in-process parent where there is evidence.',
	docs: `A client span has the parent that exact evidence names (its own \`traceparent\`, the blocking thread that serves
exactly one request, nginx's own request pointer) or none; what is absent is counted in \`vor_parent_absent_total\`.`,
	consumes: ['exchanges'],
	produces: ['spans'],
}
