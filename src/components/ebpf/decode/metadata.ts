import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary:
		'Turns raw records into exchanges: one request with its response, as one side of one socket saw it.',
	consumes: ['records'],
	produces: ['exchanges'],
}
