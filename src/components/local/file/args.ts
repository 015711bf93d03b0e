import { attr, defineArgs } from '../../../eval/args.ts'
import { bool, duration, enumOf, string } from '../../../eval/types.ts'

export const args = defineArgs(
	{
		filename: attr(string, { required: true, doc: 'Path of the file.' }),
		detector: attr(
			enumOf(['fsnotify', 'poll'], (text) => `unsupported detector "${text}", expected fsnotify or poll`),
			{ default: 'fsnotify', doc: 'How changes are noticed: by the kernel, or by looking again.' },
		),
		poll_frequency: attr(duration, {
			default: 60_000,
			doc: 'Time between two looks; with `fsnotify` the safety net.',
		}),
		is_secret: attr(bool, { doc: 'The content is a secret: never shown.' }),
	},
	{ validate: ({ poll_frequency: ms }) => (ms <= 0 ? 'poll_frequency must be greater than 0' : undefined) },
)
