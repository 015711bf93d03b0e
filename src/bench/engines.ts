import { createAggregator } from '../aggregate/index.ts'
import { RECORD_LAYOUT } from '../capture/layout.ts'
import { type CorrelatorOptions, createCorrelator } from '../correlate/index.ts'
import { createPropagator } from '../propagate/index.ts'
import { createDescribers, createProtocolDecoder } from '../protocols/index.ts'
import type { Accounting } from '../telemetry/accounting.ts'

/** The engines behind the stage components, as those make them by default, with one set of books. */
export function createEngines(accounting: Accounting, resourceOf: CorrelatorOptions['resourceOf']) {
	const meter = (id: string) => accounting.meter('/', id)
	return {
		decoder: createProtocolDecoder(RECORD_LAYOUT, meter('decode')),
		correlator: createCorrelator({
			meter: meter('correlate'),
			describers: createDescribers({ profile: 'grafana', debugAttributes: false }),
			resourceOf,
		}),
		propagator: createPropagator({ meter: meter('propagate') }),
		aggregator: createAggregator({ meter: meter('aggregate'), resourceOf }),
	}
}
