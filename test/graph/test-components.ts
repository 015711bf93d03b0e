import { attr, block, blocks, defineArgs, defineExports } from '../../src/eval/args.ts'
import { capsule, list, optionalSecret, string } from '../../src/eval/types.ts'
import { OptionalSecret } from '../../src/eval/values.ts'
import type {
	AnyDefinition,
	Component,
	ComponentDefinition,
	ComponentOptions,
} from '../../src/graph/component.ts'
import { createGraph, type Graph } from '../../src/graph/graph.ts'
import { createRegistry } from '../../src/graph/registry.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'

export interface TestPort {
	readonly owner: string
	readonly seen: string[]
}

/** What happened to the components of one test, in order. */
export class Journal {
	readonly lines: string[] = []
	/** Files that `test.file` can read. */
	readonly files = new Map<string, string>()
	readonly watchers = new Map<string, (text: string | undefined) => void>()
	readonly ports = new Map<string, TestPort>()
	note(line: string): void {
		this.lines.push(line)
	}
	take(): string[] {
		return this.lines.splice(0)
	}
}

const metadata = { summary: 'for tests', consumes: [], produces: [] }

/** A sink: exports `input`. `kind = "slow"` makes an update ask for a restart. */
function sink(journal: Journal): ComponentDefinition<{ tag: string }, { input: TestPort | undefined }> {
	return {
		name: 'test.sink',
		stability: 'generally-available',
		args: defineArgs(
			{ tag: attr(string) },
			{ validate: (args) => (args.tag === 'invalid' ? 'tag must not be invalid' : undefined) },
		),
		exports: defineExports({ input: capsule<TestPort>('otelcol.Consumer') }),
		metadata,
		build(options, args) {
			if (args.tag === 'broken') throw new Error('no such tag')
			journal.note(`build ${options.id} ${args.tag}`)
			const port: TestPort = { owner: options.id, seen: [] }
			journal.ports.set(options.id, port)
			options.onStateChange({ input: port })
			return life(journal, options.id, (next: { tag: string }) => {
				if (next.tag === 'broken') throw new Error('no such tag')
				journal.note(`update ${options.id} ${next.tag}`)
				return next.tag === 'restart' ? 'restart' : undefined
			})
		},
	}
}

/** A source: sends to a list of sinks. */
function source(journal: Journal): AnyDefinition {
	const args = defineArgs({
		name: attr(string, { default: 'none' }),
		rule: blocks({ action: attr(string, { required: true }) }),
		output: block({ traces: attr(list(capsule<TestPort>('otelcol.Consumer'))) }, { required: true }),
	})
	return {
		name: 'test.source',
		stability: 'generally-available',
		args,
		exports: defineExports({}),
		metadata,
		build(options: ComponentOptions<unknown>, given: unknown): Component<unknown> {
			const text = (value: unknown): string => {
				const decoded = value as ReturnType<typeof args.defaults>
				return `${decoded.name}→${decoded.output.traces.map((port) => port?.owner).join(',')}`
			}
			journal.note(`build ${options.id} ${text(given)}`)
			return life(journal, options.id, (next: unknown) => {
				journal.note(`update ${options.id} ${text(next)}`)
				return undefined
			})
		},
	}
}

/** Exports the content of a file of the journal, and follows it. */
function file(journal: Journal): ComponentDefinition<{ filename: string }, { content: OptionalSecret }> {
	return {
		name: 'local.file',
		stability: 'generally-available',
		args: defineArgs({ filename: attr(string, { required: true }) }),
		exports: defineExports({ content: optionalSecret }),
		metadata,
		build(options, args) {
			let name = args.filename
			const read = (): void => {
				const text = journal.files.get(name)
				if (text === undefined)
					throw new Error(`failed to read file: open ${name}: no such file or directory`)
				options.onStateChange({ content: new OptionalSecret(text, false) })
			}
			read()
			journal.watchers.set(options.id, (text) => {
				if (text === undefined) {
					options.reportHealth({
						state: 'unhealthy',
						message: `failed to read file: open ${name}: no such file or directory`,
					})
					return
				}
				journal.files.set(name, text)
				read()
				options.reportHealth({ state: 'healthy', message: 'read file' })
			})
			return life(journal, options.id, (next: { filename: string }) => {
				name = next.filename
				read()
				return undefined
			})
		},
	}
}

function life<A>(journal: Journal, id: string, update: (args: A) => undefined | 'restart'): Component<A> {
	return {
		async start() {
			journal.note(`start ${id}`)
		},
		update,
		async stop() {
			journal.note(`stop ${id}`)
		},
	}
}

const preview: AnyDefinition = {
	name: 'test.preview',
	stability: 'experimental',
	args: defineArgs({}),
	exports: defineExports({}),
	metadata,
	build: () => ({ update: () => undefined, stop: async () => {} }),
}

export function testGraph(
	stabilityLevel: 'experimental' | 'generally-available' = 'experimental',
	options: { readonly storagePath?: string; log?(line: string): void } = {},
): {
	graph: Graph
	journal: Journal
	load(...texts: string[]): ReturnType<Graph['load']>
} {
	const journal = new Journal()
	const registry = createRegistry([
		sink(journal) as AnyDefinition,
		source(journal),
		file(journal) as AnyDefinition,
		preview,
	])
	const graph = createGraph({
		registry,
		accounting: createAccounting(),
		logger: createLog({ write: options.log ?? (() => {}) }),
		storagePath: options.storagePath ?? 'data',
		stabilityLevel,
	})
	const load = (...texts: string[]): ReturnType<Graph['load']> =>
		texts.length === 1
			? graph.load({ path: 'config.alloy', files: [{ name: 'config.alloy', text: texts[0]! }] })
			: graph.load({
					path: 'conf',
					files: texts.map((text, i) => ({ name: `conf/${'abcdef'[i]}.alloy`, text })),
				})
	return { graph, journal, load }
}
