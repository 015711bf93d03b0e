import type { ProcessFact } from '../../../model/process-fact.ts'
import type { SelectionSource } from '../../../process/selection.ts'
import {
	type SelectorArgs as CommonSelector,
	type DiscoveryArgs,
	selectionOf,
} from '../../common/discovery-args.ts'
import { asksKubernetes, type DiscoveryArgs as BeylaDiscovery, type SelectorArgs } from './args/discovery.ts'
import type { SamplerArgs } from './args/sampler.ts'

interface Args {
	readonly open_port: string
	readonly executable_name: string
	readonly discovery: BeylaDiscovery
}

const nothing: CommonSelector = {
	name: '',
	namespace: '',
	open_ports: '',
	exe_path: '',
	cmd_args: '',
	languages: '',
	target_pids: [],
	containers_only: false,
	exports: undefined,
}

/** The `discovery` block of `ebpf.ringbuf` that means the same. */
export function discoveryOf(args: Args): DiscoveryArgs {
	const { discovery } = args
	const instrument = entriesOf(args).map(({ selector }) => selector)
	return {
		// As in Beyla, and unlike `ebpf.ringbuf`: without an entry nothing is selected.
		instrument: instrument.length > 0 ? instrument : [{ ...nothing, target_pids: [0] }],
		exclude_instrument: [
			...discovery.exclude_services.flatMap((each) => convert(each, true)),
			...discovery.exclude_instrument.flatMap((each) => convert(each, false)),
		],
		default_exclude_instrument: [
			...discovery.default_exclude_services.flatMap((each) => convert(each, true)),
			...discovery.default_exclude_instrument.flatMap((each) => convert(each, false)),
		],
		exclude_otel_instrumented_services: discovery.exclude_otel_instrumented_services ?? true,
	}
}

export const selectionSource = (args: Args): SelectionSource => selectionOf(discoveryOf(args))

/** What an entry says beside what it selects. */
export interface EntrySettings {
	readonly traces: boolean
	readonly metrics: boolean
	/** undefined = as `traces.sampler` says. */
	readonly sampler: SamplerArgs | undefined
}

interface Entry {
	readonly selector: CommonSelector
	readonly settings: EntrySettings
}

const everything: EntrySettings = { traces: true, metrics: true, sampler: undefined }

/** The old single attributes, then the old entries, then the new ones: the last that matches counts. */
function entriesOf({ discovery, open_port: ports, executable_name: executable }: Args): readonly Entry[] {
	const entries: Entry[] = []
	if (ports !== '' || executable !== '')
		entries.push({
			selector: { ...nothing, open_ports: ports, exe_path: executable, regexp: true },
			settings: everything,
		})
	const add = (list: readonly SelectorArgs[], regexp: boolean) => {
		for (const each of list)
			for (const selector of convert(each, regexp)) entries.push({ selector, settings: settingsOf(each) })
	}
	add(discovery.services, true)
	add(discovery.instrument, false)
	return entries
}

/** Nothing when the entry asks for Kubernetes metadata: without them it must not match what it was not meant for. */
function convert(entry: SelectorArgs, regexp: boolean): CommonSelector[] {
	if (asksKubernetes(entry)) return []
	const { kubernetes: _kubernetes, sampler: _sampler, exports: _exports, ...conditions } = entry
	return [{ ...nothing, ...conditions, ...(regexp ? { regexp } : {}) }]
}

function settingsOf({ exports, sampler }: SelectorArgs): EntrySettings {
	const all = exports.length === 0
	return {
		traces: all || exports.includes('traces'),
		metrics: all || exports.includes('metrics'),
		sampler: sampler.name === '' ? undefined : sampler,
	}
}

/** What the entry that selected a process says about its signals. */
export function createSettings(args: Args): {
	/** Whether any entry says something of its own. */
	readonly particular: boolean
	of(fact: ProcessFact): EntrySettings
} {
	const settings = entriesOf(args).map((entry) => entry.settings)
	return {
		particular: settings.some((each) => !each.traces || !each.metrics || each.sampler !== undefined),
		of(fact) {
			// The reason names the entry by its place in the list that was handed to the selection.
			const index = /^selected by instrument\[(\d+)\]/.exec(fact.selectionReason)?.[1]
			return (index === undefined ? undefined : settings[Number(index)]) ?? everything
		},
	}
}
