import { attr, block, defineArgs } from '../../../eval/args.ts'
import { bool, duration, list, map, string } from '../../../eval/types.ts'

export const args = defineArgs(
	{
		join: attr(list(map(string)), {
			doc: 'Targets to join with, by `__container_id__` or `__process_pid__`.',
		}),
		refresh_interval: attr(duration, { default: 60_000, doc: 'Time between two looks.' }),
		discover_config: block({
			exe: attr(bool, { default: true }),
			cwd: attr(bool, { default: true }),
			commandline: attr(bool, { default: true }),
			uid: attr(bool, { default: true }),
			username: attr(bool, { default: true }),
			cgroup_path: attr(bool),
			container_id: attr(bool, { default: true }),
		}),
	},
	{
		validate: ({ refresh_interval: ms }) => (ms <= 0 ? 'refresh_interval must be greater than 0' : undefined),
	},
)
