import { type ArgsOf, attr, block, blocks, defineArgs } from '../../eval/args.ts'
import { bool, list, optional, string, uint } from '../../eval/types.ts'
import { compileSelection, type SelectionSource, type SelectorSource } from '../../process/selection.ts'

const selector = defineArgs({
	name: attr(string, { doc: 'Sets `service.name` of what the entry selects.' }),
	namespace: attr(string, { doc: 'Sets `service.namespace`.' }),
	open_ports: attr(string, { doc: 'Ports the process listens on: `80,443,8000-8999`.' }),
	exe_path: attr(string, { doc: 'Glob over the path of the executable.' }),
	cmd_args: attr(string, { doc: 'Glob over the command line.' }),
	languages: attr(string, { doc: 'Glob over the language: `{go,java}`.' }),
	target_pids: attr(list(uint), { doc: 'Process ids.' }),
	containers_only: attr(bool, { doc: 'Only processes in containers.' }),
	exports: attr(optional(list(string)), { doc: 'Signals to export: `traces`, `metrics`. Default: all.' }),
})

/** The `discovery` block of `ebpf.ringbuf`. */
export const discoveryArgs = defineArgs(
	{
		instrument: blocks(selector, {
			doc: 'What to instrument. Conditions of one block are ANDed, blocks are ORed, the last match names the service. Without any block: everything that speaks HTTP.',
		}),
		exclude_instrument: blocks(selector, { doc: 'What to leave out.' }),
		default_exclude_instrument: blocks(selector, {
			doc: 'Replaces the built-in list (Beyla, Alloy, collectors).',
		}),
		exclude_otel_instrumented_services: attr(bool, {
			default: true,
			doc: 'Leave out the signals that a program exports over OTLP itself.',
		}),
	},
	{
		validate: (args) => {
			const { errors } = compileSelection(selectionOf(args))
			return errors.length === 0 ? undefined : errors.join('; ')
		},
	},
)

export const discoveryBlock = block(discoveryArgs)

/** `regexp` is only for `beyla.ebpf`, whose old entries have regular expressions instead of globs. */
export type SelectorArgs = ArgsOf<typeof selector> & { readonly regexp?: boolean }

export interface DiscoveryArgs {
	readonly instrument: readonly SelectorArgs[]
	readonly exclude_instrument: readonly SelectorArgs[]
	readonly default_exclude_instrument: readonly SelectorArgs[]
	readonly exclude_otel_instrumented_services: boolean
}

/** The engine's form of the block. */
export function selectionOf(args: DiscoveryArgs): SelectionSource {
	return {
		instrument: args.instrument.map(sourceOf),
		excludeInstrument: args.exclude_instrument.map(sourceOf),
		...(args.default_exclude_instrument.length > 0
			? { defaultExcludeInstrument: args.default_exclude_instrument.map(sourceOf) }
			: {}),
		excludeOtelInstrumented: args.exclude_otel_instrumented_services,
	}
}

function sourceOf(args: SelectorArgs): SelectorSource {
	return {
		openPorts: args.open_ports,
		exePath: args.exe_path,
		cmdArgs: args.cmd_args,
		languages: args.languages,
		targetPids: args.target_pids,
		containersOnly: args.containers_only,
		regexp: args.regexp === true,
		name: args.name,
		namespace: args.namespace,
		...(args.exports === undefined ? {} : { exports: args.exports }),
	}
}
