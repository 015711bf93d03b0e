import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: 'Exports the content of a file and follows its changes.',
	docs: `A file that cannot be read when the component is built stops the configuration from being taken over; one that
vanishes later makes the component unhealthy and keeps the last content.`,
	consumes: [],
	produces: [],
}
