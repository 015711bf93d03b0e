import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: 'Writes what it receives to the log or to a file, as the Collector does.',
	consumes: ['traces', 'metrics'],
	produces: [],
}
