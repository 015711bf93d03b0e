import { attr, block, defineArgs } from '../../../eval/args.ts'
import { duration, enumOf, list, string, uint } from '../../../eval/types.ts'
import { telemetryConsumers } from '../../common/capsules.ts'

export const args = defineArgs(
	{
		interval: attr(duration, { default: 15_000, doc: 'Time between two exports of all series.' }),
		series_limit: attr(uint, {
			default: 2000,
			doc: 'Series of one metric of one process; what comes after goes into the overflow series.',
		}),
		ttl: attr(duration, {
			default: 300_000,
			doc: 'How long the series of a process that is gone are still exported.',
		}),
		profile: attr(enumOf(['grafana', 'strict', 'beyla']), {
			default: 'grafana',
			doc: 'Naming of the metrics.',
		}),
		attributes: block({
			include: attr(list(string), {
				doc: 'Globs over attribute names: these instead of the default ones, also some that are off by default.',
			}),
			exclude: attr(list(string), { doc: 'Globs over attribute names to leave out.' }),
		}),
		output: block({
			metrics: attr(telemetryConsumers, { doc: 'Inputs of exporters. They are at `/metrics` in any case.' }),
		}),
	},
	{ validate: ({ interval }) => (interval < 100 ? 'interval must be at least "100ms"' : undefined) },
)
