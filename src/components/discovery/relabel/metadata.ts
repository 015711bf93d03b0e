import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: 'Rewrites and filters targets with the rules of Prometheus.',
	consumes: ['targets'],
	produces: ['targets'],
}
