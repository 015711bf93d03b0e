import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary:
		'Gives spans their final ids: joins the two ends of a request on one host without touching traffic.',
	docs: `No span leaves it whose trace id would later change.`,
	consumes: ['spans'],
	produces: ['traces'],
}
