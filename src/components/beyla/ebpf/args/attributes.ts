import { attr, block, blocks, defineArgs, optionalBlock } from '../../../../eval/args.ts'
import { bool, duration, int, list, map, optional, string } from '../../../../eval/types.ts'
import { later, oneOf } from './common.ts'

/** Alloy wants `kubernetes` as soon as `attributes` is there, against its own documentation; Vör does not. */
export const attributesArgs = defineArgs({
	select: blocks(
		{
			attr: attr(string, {
				required: true,
				doc: '`traces`, or a pattern over metric names: `http_server_*`. `.` and `_` are the same.',
			}),
			include: attr(list(string), {
				doc: 'Patterns over attribute names. Of a metric: these instead of the default ones; of `traces`: as well.',
			}),
			exclude: attr(list(string), { doc: 'Patterns over attribute names to leave out.' }),
		},
		{ doc: 'Which attributes metrics and spans have.' },
	),
	instance_id: block(
		{
			dns: later(optional(bool), 'Vör makes `service.instance.id` of the host id, not of a name.'),
			override_hostname: attr(string, {
				doc: 'Stands for `host.name`, and `service.instance.id` becomes this name and the process id.',
			}),
		},
		{ doc: 'How instances are told apart.' },
	),
	host_id: block({ override: attr(string, { doc: 'Stands for `host.id`.' }) }),
	kubernetes: optionalBlock({
		enable: attr(oneOf(['autodetect', 'true', 'false']), {
			required: true,
			doc: 'Kubernetes metadata. Vör has none yet, whatever is written here.',
		}),
		cluster_name: later(string),
		informers_sync_timeout: later(duration),
		informers_resync_period: later(duration),
		disable_informers: later(list(string)),
		meta_restrict_local_node: later(bool),
		meta_cache_address: later(string),
		reconnect_initial_interval: later(duration),
		drop_external: later(bool),
		kubeconfig_path: later(string),
		resource_labels: later(map(list(string))),
		service_name_template: later(string),
	}),
	metadata_retry: block(
		{ timeout: attr(duration), start_interval: attr(duration), max_interval: attr(duration) },
		{ notYet: true },
	),
	metric_span_names_limit: later(int),
	rename_unresolved_hosts: later(string),
	rename_unresolved_hosts_incoming: later(string),
	rename_unresolved_hosts_outgoing: later(string),
})
