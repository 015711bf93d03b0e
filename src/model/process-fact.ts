/**
 * What is known of a process. The table of facts is fed by batches (see `RawBatch.processes`), so that a replay needs no
 * /proc. A later fact for the same (pid, startNs) replaces the earlier one.
 */
export interface ProcessFact {
	/** In the host's pid namespace. */
	readonly pid: number
	/** Boot-clock start time of the leader, ns: pid and startNs together name a process for ever. */
	readonly startNs: number
	readonly parentPid: number
	readonly comm: string
	/** Resolved path of the executable, '' when it could not be read. */
	readonly executable: string
	/** argv, possibly cut. */
	readonly commandLine: readonly string[]
	readonly language: Language
	/** Final `service.name`. */
	readonly serviceName: string
	/** Where it came from. */
	readonly serviceNameSource: ServiceNameSource
	readonly serviceNamespace: string
	readonly serviceVersion: string
	/** OTEL_RESOURCE_ATTRIBUTES of the target, parsed; without service.name and service.namespace. */
	readonly resourceAttributes: Readonly<Record<string, string>>
	/** Container id, '' outside of containers. */
	readonly containerId: string
	readonly ownerUid: number
	readonly listenPorts: readonly number[]
	readonly selection: Selection
	/** For a human: which rule selected or rejected it. */
	readonly selectionReason: string
	/** It exports OTLP itself: which of its signals we must not duplicate. */
	readonly exportsOtlp: 'none' | 'traces' | 'metrics' | 'both'
	/** Boot-clock time of exit, 0 while alive. Kept 30 s after. */
	readonly exitNs: number
	/** Boot-clock time of the exec that made it what the fact says, 0 or absent = not seen: what began before is an earlier image's. */
	readonly imageNs?: number
}

export type Selection = 'unknown' | 'selected' | 'rejected'
export type ServiceNameSource =
	| 'OTEL_SERVICE_NAME'
	| 'OTEL_RESOURCE_ATTRIBUTES'
	| 'configuration'
	| 'package'
	| 'script'
	| 'executable'
	| 'comm'
/** Values of `telemetry.sdk.language`, and 'generic' where nothing is known. */
export type Language =
	| 'cpp'
	| 'dotnet'
	| 'erlang'
	| 'go'
	| 'java'
	| 'nodejs'
	| 'php'
	| 'python'
	| 'ruby'
	| 'rust'
	| 'generic'
