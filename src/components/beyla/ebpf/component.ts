import { hostname } from 'node:os'
import { defineExports } from '../../../eval/args.ts'
import { list, map, string } from '../../../eval/types.ts'
import type { Component, ComponentDefinition, ComponentOptions } from '../../../graph/component.ts'
import { fullId, type Services } from '../../services.ts'
import { type BeylaArgs, args as schema } from './args.ts'
import { createLine, type Line } from './line.ts'
import { metadata } from './metadata.ts'
import { warningsOf } from './warnings.ts'

interface Exports {
	readonly targets: readonly Readonly<Record<string, string>>[]
}

/** The five stages in one block. Their ids are those of stage components inside a module named after the block. */
export const defineBeyla = (services: Services): ComponentDefinition<BeylaArgs, Exports> => ({
	name: 'beyla.ebpf',
	stability: 'generally-available',
	args: schema,
	exports: defineExports({ targets: list(map(string)) }),
	metadata,
	build(options: ComponentOptions<Exports>, args: BeylaArgs): Component<BeylaArgs> {
		const line: Line = createLine(services, options, args)
		const scrape = () => line.collect()
		services.scrapes.add(options, scrape)
		let warned = ''
		const warn = (next: BeylaArgs) => {
			const warnings = warningsOf(next)
			if (JSON.stringify(warnings) === warned) return
			warned = JSON.stringify(warnings)
			for (const warning of warnings) options.logger.warn(warning)
		}
		warn(args)
		options.onStateChange({
			targets: [
				{
					__address__: 'alloy.internal:12345',
					__scheme__: 'http',
					__metrics_path__: `/api/v0/component/${fullId(options)}/metrics`,
					instance: hostname(),
					job: 'beyla',
				},
			],
		})
		return {
			start: () => line.start(),
			update(next) {
				line.update(next)
				warn(next)
				return undefined
			},
			async stop() {
				await line.stop()
				services.scrapes.remove(options, scrape)
			},
			debugInfo: () => line.debugInfo(),
		}
	},
})
