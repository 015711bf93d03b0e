import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { optionalSecret } from '../../../eval/types.ts'
import { OptionalSecret, optionalSecretValue, UnknownValue } from '../../../eval/values.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import { type Labels, type MetricFamily, single } from '../../../telemetry/metric-family.ts'
import { goFileError } from '../../../util/go-error.ts'
import type { Services } from '../../services.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'

type Args = ArgsOf<typeof schema>

/** Several events of one change (truncate, write, rename) are one reading. */
const settleMs = 20

export const defineLocalFile = (
	services?: Services,
): ComponentDefinition<Args, { readonly content: OptionalSecret }> => ({
	name: 'local.file',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ content: optionalSecret }),
	metadata,
	// For `vor validate`: a secret's content refuses what a secret refuses, other content is some string.
	describeExports: (args) => ({
		content: args.is_secret ? optionalSecretValue('', true) : new UnknownValue('string'),
	}),
	build(options, first) {
		let args = first
		let watcher: FSWatcher | undefined
		let poll: NodeJS.Timeout | undefined
		let settling: NodeJS.Timeout | undefined
		let started = false
		/** Unix seconds. */
		let accessed = 0
		const view = {
			families: (labels: Labels): MetricFamily[] => [
				single(
					'local_file_timestamp_last_accessed_unix_seconds',
					'gauge',
					'The last successful access in unix seconds',
					accessed,
					labels,
				),
			],
		}

		/** Throws with Alloy's text. */
		function read(from: Args): void {
			let text: string
			try {
				text = readFileSync(from.filename, 'utf8')
			} catch (reason) {
				const message = goFileError(reason)
				options.logger.error('failed to read file', { path: options.dataPath, err: message })
				throw new Error(`failed to read file: ${message}`)
			}
			accessed = Date.now() / 1000
			options.onStateChange({ content: new OptionalSecret(text, from.is_secret) })
		}

		function readAgain(): void {
			settling = undefined
			try {
				read(args)
				options.reportHealth({ state: 'healthy', message: 'read file' })
			} catch (reason) {
				options.reportHealth({ state: 'unhealthy', message: (reason as Error).message })
			}
			follow()
		}

		function unfollow(): void {
			watcher?.close()
			watcher = undefined
			clearTimeout(poll)
			clearTimeout(settling)
			settling = undefined
		}

		function follow(): void {
			unfollow()
			if (!started) return
			poll = setTimeout(readAgain, args.poll_frequency)
			if (args.detector !== 'fsnotify') return
			try {
				// The folder: a file replaced by rename, as editors and Kubernetes do, is another file.
				const own = basename(args.filename)
				watcher = watch(dirname(args.filename), (_event, name) => {
					// Kubernetes turns its `..data` over to replace what the file links to.
					if (name !== null && name !== own && !name.startsWith('..')) return
					settling ??= setTimeout(readAgain, settleMs)
				})
				watcher.on('error', () => watcher?.close())
			} catch {
				// The folder is gone too: the poll finds it when it comes back.
			}
		}

		read(args)
		services?.others.add(options, view)
		return {
			async start() {
				started = true
				follow()
			},
			update(next) {
				read(next)
				args = next
				follow()
				return undefined
			},
			async stop() {
				started = false
				unfollow()
				services?.others.remove(options, view)
			},
		}
	},
})
