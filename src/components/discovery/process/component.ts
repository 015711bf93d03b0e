import { type ArgsOf, defineExports } from '../../../eval/args.ts'
import { list, map, string } from '../../../eval/types.ts'
import type { ComponentDefinition } from '../../../graph/component.ts'
import { discoverProcesses, joinTargets, type Target } from '../../../process/discover.ts'
import { readHost } from '../../../process/index.ts'
import { args as schema } from './args.ts'
import { metadata } from './metadata.ts'

type Args = ArgsOf<typeof schema>

export const defineDiscoveryProcess = (): ComponentDefinition<
	Args,
	{ readonly targets: readonly Target[] }
> => ({
	name: 'discovery.process',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ targets: list(map(string)) }),
	metadata,
	build(options, first) {
		let args = first
		let found: readonly Target[] = []
		let timer: NodeJS.Timeout | undefined
		let running = false
		const { userName } = readHost()
		const publish = () => options.onStateChange({ targets: joinTargets(args.join, found) })

		async function look(): Promise<void> {
			const { cgroup_path: cgroupPath, container_id: containerId, ...rest } = args.discover_config
			try {
				found = await discoverProcesses({ ...rest, cgroupPath, containerId }, userName)
				options.reportHealth({ state: 'healthy', message: `${found.length} processes` })
			} catch (reason) {
				options.reportHealth({ state: 'unhealthy', message: `cannot read /proc: ${String(reason)}` })
			}
			if (!running) return
			publish()
			timer = setTimeout(() => void look(), args.refresh_interval)
		}

		publish()
		return {
			async start() {
				running = true
				await look()
			},
			update(next) {
				const again =
					JSON.stringify([next.discover_config, next.refresh_interval]) !==
					JSON.stringify([args.discover_config, args.refresh_interval])
				args = next
				publish()
				if (again && running) {
					clearTimeout(timer)
					void look()
				}
				return undefined
			},
			async stop() {
				running = false
				clearTimeout(timer)
			},
		}
	},
})
