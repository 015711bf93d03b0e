import { attr, block, defineArgs } from '../../../../eval/args.ts'
import { bool, duration, float, int, list, string } from '../../../../eval/types.ts'
import { later, oneOf } from './common.ts'
import { FEATURES, firstUnknown, INSTRUMENTATIONS } from './names.ts'
import { networkArgs } from './network.ts'
import { samplerArgs } from './sampler.ts'

const bounds = attr(list(float))

export const metricsArgs = defineArgs(
	{
		features: attr(list(oneOf(FEATURES)), {
			doc: 'Groups of metrics. Default: `["application"]`, the RED metrics; Vör has no others yet.',
		}),
		instrumentations: attr(list(oneOf(INSTRUMENTATIONS)), {
			doc: 'Protocols that count. Default: `["*"]`; Vör reads HTTP.',
		}),
		ttl: attr(duration, {
			doc: 'How long the series of a process that is gone are still exported. Default: "5m".',
		}),
		extra_resource_labels: attr(list(string), {
			doc: 'Resource attributes that become labels on the `/metrics` pages.',
		}),
		extra_span_resource_labels: later(list(string)),
		allow_service_graph_self_references: later(bool),
		exemplar_filter: later(oneOf(['always_off', 'always_on', 'trace_based'])),
		network: block(networkArgs, { notYet: true }),
		buckets: block(
			{
				duration_histogram: bounds,
				request_size_histogram: bounds,
				response_size_histogram: bounds,
				stat_tcp_rtt_histogram: bounds,
				gen_ai_client_operation_duration_histogram: bounds,
				gen_ai_client_token_usage_histogram: bounds,
			},
			{ notYet: true },
		),
		native_histogram: block(
			{ bucket_factor: attr(float), max_bucket_number: attr(int), min_reset_duration: attr(duration) },
			{ notYet: true },
		),
	},
	{
		validate({ instrumentations, features }) {
			const protocol = firstUnknown(instrumentations, INSTRUMENTATIONS)
			if (protocol !== undefined) return `metrics.instrumentations: invalid value ${JSON.stringify(protocol)}`
			const feature = firstUnknown(features, FEATURES)
			return feature === undefined ? undefined : `metrics.features: invalid value ${JSON.stringify(feature)}`
		},
	},
)

export const tracesArgs = defineArgs(
	{
		instrumentations: attr(list(oneOf(INSTRUMENTATIONS)), {
			doc: 'Protocols that give spans. Default: `["*"]`; Vör reads HTTP.',
		}),
		sampler: block(samplerArgs, {
			doc: 'Which spans are exported. Metrics count every request all the same.',
		}),
	},
	{
		validate({ instrumentations }) {
			const protocol = firstUnknown(instrumentations, INSTRUMENTATIONS)
			return protocol === undefined
				? undefined
				: `traces.instrumentations: invalid value ${JSON.stringify(protocol)}`
		},
	},
)
