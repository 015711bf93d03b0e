import { attr, block, blocks, defineArgs } from '../../../../eval/args.ts'
import { bool, duration, list, map, optional, string } from '../../../../eval/types.ts'
import { selectorArgs } from './discovery.ts'
import { samplerArgs } from './sampler.ts'

/** Puts SDKs into programs. Vör injects nothing. */
export const injectorArgs = defineArgs({
	enabled_sdks: attr(list(string)),
	exclude_instrument: blocks(selectorArgs),
	exporter_otlp_endpoint: attr(string),
	exporter_otlp_protocol: attr(string),
	image_version: attr(string),
	instrument: blocks(selectorArgs),
	otel_exported_signals: block({
		logs: attr(optional(bool)),
		metrics: attr(optional(bool)),
		traces: attr(optional(bool)),
	}),
	resources: block({
		add_k8s_ip_attribute: attr(bool),
		add_k8s_uid_attributes: attr(bool),
		attributes: attr(map(string)),
		use_k8s_labels_for_resource_attributes: attr(bool),
	}),
	trace_propagators: attr(list(string)),
	trace_sampler: block(samplerArgs),
	webhook: block({ external_deployment_name: attr(string) }),
	disable_auto_restart: attr(bool),
})

/** Agents inside runtimes: Vör loads none into a program. */
export const javaagentArgs = defineArgs({
	enabled: attr(optional(bool)),
	attach_timeout: attr(duration),
	debug: attr(bool),
	debug_instrumentation: attr(bool),
})

export const nodejsArgs = defineArgs({ enabled: attr(optional(bool)) })

export const jvmRuntimeArgs = defineArgs({ enabled: attr(bool), sampling_interval: attr(duration) })
