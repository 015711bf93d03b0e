import type { ProcessFact } from '../model/process-fact.ts'

/** The OpenTelemetry part of a target's environment. */
export interface OtelEnvironment {
	readonly serviceName: string
	/** Percent-decoded, as the specification says for this variable. */
	readonly resourceAttributes: Readonly<Record<string, string>>
	readonly sdkDisabled: boolean
	/** An OTLP endpoint or exporter is named. */
	readonly configuresOtlp: boolean
	readonly tracesOff: boolean
	readonly metricsOff: boolean
}

export function parseOtelEnvironment(environment: Iterable<string>): OtelEnvironment {
	const values = new Map<string, string>()
	for (const entry of environment) {
		const equals = entry.indexOf('=')
		if (equals > 0 && entry.startsWith('OTEL_')) values.set(entry.slice(0, equals), entry.slice(equals + 1))
	}
	const get = (name: string): string => values.get(name)?.trim() ?? ''
	const serviceName = get('OTEL_SERVICE_NAME')
	return {
		// An unexpanded $VARIABLE of a manifest is not a name.
		serviceName: serviceName.startsWith('$') ? '' : serviceName,
		resourceAttributes: parseAttributes(get('OTEL_RESOURCE_ATTRIBUTES')),
		sdkDisabled: get('OTEL_SDK_DISABLED').toLowerCase() === 'true',
		configuresOtlp:
			[...values.keys()].some((name) => name.startsWith('OTEL_EXPORTER_OTLP_')) ||
			get('OTEL_TRACES_EXPORTER').includes('otlp') ||
			get('OTEL_METRICS_EXPORTER').includes('otlp'),
		tracesOff: isOff(get('OTEL_TRACES_EXPORTER')),
		metricsOff: isOff(get('OTEL_METRICS_EXPORTER')),
	}
}

function isOff(exporters: string): boolean {
	return exporters !== '' && !exporters.includes('otlp')
}

/** `key=value,key=value`. A pair that is not one is left out. */
export function parseAttributes(text: string): Record<string, string> {
	const attributes: Record<string, string> = {}
	for (const pair of text.split(',')) {
		const equals = pair.indexOf('=')
		if (equals <= 0) continue
		const key = pair.slice(0, equals).trim()
		const value = decode(pair.slice(equals + 1).trim())
		if (key !== '' && !value.startsWith('$')) attributes[key] = value
	}
	return attributes
}

function decode(value: string): string {
	try {
		return decodeURIComponent(value)
	} catch {
		// Not percent-encoded at all: meant as it stands.
		return value
	}
}

/** Everything beside OTEL_* that loads an SDK into a program from outside. */
export const SDK_VARIABLES = [
	'NODE_OPTIONS',
	'JAVA_TOOL_OPTIONS',
	'JDK_JAVA_OPTIONS',
	'PYTHONPATH',
	'CORECLR_PROFILER_PATH',
	'OTEL_DOTNET_AUTO_HOME',
	'RUBYOPT',
] as const

/**
 * Which signals the program exports itself, as far as its start shows: an SDK loaded from outside (agent option, preload)
 * that is not switched off. Mere OTEL_EXPORTER_* variables prove nothing, they are inherited by every child.
 */
export function exportsOtlp(
	commandLine: readonly string[],
	variables: ReadonlyMap<string, string>,
	otel: OtelEnvironment,
	linkedExporters: ProcessFact['exportsOtlp'],
): ProcessFact['exportsOtlp'] {
	if (otel.sdkDisabled) return 'none'
	let traces = false
	let metrics = false
	if (loadsSdk(commandLine, variables)) traces = metrics = true
	else if (linkedExporters !== 'none' && otel.configuresOtlp) {
		traces = linkedExporters === 'traces' || linkedExporters === 'both'
		metrics = linkedExporters === 'metrics' || linkedExporters === 'both'
	}
	return combine(traces && !otel.tracesOff, metrics && !otel.metricsOff)
}

export function combine(traces: boolean, metrics: boolean): ProcessFact['exportsOtlp'] {
	return traces ? (metrics ? 'both' : 'traces') : metrics ? 'metrics' : 'none'
}

function loadsSdk(commandLine: readonly string[], variables: ReadonlyMap<string, string>): boolean {
	const options = [
		...commandLine.slice(0, 64),
		...(variables.get('NODE_OPTIONS') ?? '').split(/\s+/),
		...(variables.get('JAVA_TOOL_OPTIONS') ?? '').split(/\s+/),
		...(variables.get('JDK_JAVA_OPTIONS') ?? '').split(/\s+/),
		...(variables.get('RUBYOPT') ?? '').split(/\s+/),
	]
	for (let i = 0; i < options.length; i++) {
		const option = options[i] as string
		if (/^-javaagent:.*opentelemetry/i.test(option)) return true
		const value = /^(?:--require|--import|-r)(?:=(.*))?$/.exec(option)
		if (value !== null && /@opentelemetry\/|opentelemetry/.test(value[1] ?? options[i + 1] ?? '')) return true
		if (/^-r.*opentelemetry/.test(option)) return true
		if (/(?:^|\/)opentelemetry-instrument$/.test(option)) return true
	}
	return (
		/opentelemetry\/instrumentation\/auto_instrumentation/.test(variables.get('PYTHONPATH') ?? '') ||
		/opentelemetry/i.test(variables.get('CORECLR_PROFILER_PATH') ?? '')
	)
}
