import { type ArgsOf, attr, block, blocks, defineArgs } from '../../../../eval/args.ts'
import { bool, duration, int, list, map, optional, string } from '../../../../eval/types.ts'
import { later } from './common.ts'
import { samplerArgs } from './sampler.ts'

const kubernetes = {
	namespace: attr(string),
	pod_name: attr(string),
	deployment_name: attr(string),
	replicaset_name: attr(string),
	statefulset_name: attr(string),
	daemonset_name: attr(string),
	owner_name: attr(string),
	pod_labels: attr(map(string)),
	pod_annotations: attr(map(string)),
}

/** One entry: `instrument`, `exclude_instrument` and so on. Patterns are globs; in the old `services` family, regexps. */
export const selectorArgs = defineArgs({
	name: attr(string, { doc: 'Sets `service.name` of what the entry selects, where the program sets none.' }),
	namespace: attr(string, { doc: 'Sets `service.namespace`.' }),
	open_ports: attr(string, { doc: 'Ports the process listens on: `80,443,8000-8999`.' }),
	exe_path: attr(string, { doc: 'Pattern over the path of the executable.' }),
	cmd_args: attr(string, { doc: 'Pattern over the command line.' }),
	kubernetes: block(kubernetes, {
		notYet: true,
		doc: 'Patterns over Kubernetes metadata. An entry with one selects nothing yet.',
	}),
	containers_only: attr(bool, { doc: 'Only processes in containers.' }),
	exports: attr(list(string), {
		doc: 'Signals to export: `traces`, `metrics`. Default: all; as in Alloy, an empty list means all too.',
	}),
	sampler: block(samplerArgs, { doc: 'Instead of `traces.sampler`.' }),
	languages: attr(string, { doc: 'Pattern over the language: `{go,java}`.' }),
})

export type SelectorArgs = ArgsOf<typeof selectorArgs>

const globs = 'Conditions of one block are ANDed, blocks are ORed'
const old = (now: string) => ({ deprecated: `use ${now}, whose patterns are globs` })

export const discoveryArgs = defineArgs({
	instrument: blocks(selectorArgs, {
		doc: `What to instrument. ${globs}; the last match sets name, exports and sampler. Without any: nothing.`,
	}),
	exclude_instrument: blocks(selectorArgs, { doc: `What to leave out. ${globs}.` }),
	default_exclude_instrument: blocks(selectorArgs, {
		doc: 'Replaces the built-in list of what is left out (Beyla, Alloy, collectors).',
	}),
	services: blocks(selectorArgs, old('instrument')),
	exclude_services: blocks(selectorArgs, old('exclude_instrument')),
	default_exclude_services: blocks(selectorArgs, old('default_exclude_instrument')),
	survey: blocks(selectorArgs, { notYet: true, doc: 'What to report without instrumenting it.' }),
	exclude_otel_instrumented_services: attr(optional(bool), {
		doc: 'Leave out the signals that a program exports over OTLP itself. Default: true.',
	}),
	exclude_otel_instrumented_services_span_metrics: later(bool),
	default_otlp_grpc_port: later(int),
	skip_go_specific_tracers: attr(bool, {
		doc: 'Vör has no tracers of its own for Go: it watches sockets, for every language.',
	}),
	bpf_pid_filter_off: later(bool),
	min_process_age: later(duration, 'Vör sees a process from its first moment.'),
	poll_interval: later(duration, 'Vör does not poll: the kernel tells of every new process.'),
	excluded_linux_system_paths: later(list(string)),
	disabled_route_harvesters: later(list(string)),
	route_harvester_timeout: later(duration),
	route_harvester_advanced: block({ java_harvest_delay: attr(duration) }, { notYet: true }),
})

export type DiscoveryArgs = ArgsOf<typeof discoveryArgs>

/** Alloy's check of a list of entries; it says "services" whatever the list is called. */
export function selectorsProblem(entries: readonly SelectorArgs[]): string | undefined {
	const empty = entries.findIndex(
		(entry) =>
			entry.open_ports === '' &&
			entry.exe_path === '' &&
			entry.cmd_args === '' &&
			!Object.entries(entry.kubernetes).some(
				([name, value]) => name !== 'pod_annotations' && isGiven(value as string | object),
			),
	)
	if (empty < 0) return undefined
	return `discovery.services[${empty}] must define at least one of: open_ports, exe_path, cmd_args, or kubernetes configuration`
}

const isGiven = (value: string | object): boolean =>
	typeof value === 'string' ? value !== '' : Object.keys(value).length > 0

/** Whether an entry asks for something that only Kubernetes metadata could answer. */
export const asksKubernetes = (entry: SelectorArgs): boolean => Object.values(entry.kubernetes).some(isGiven)
