import type { ProcessFact } from '../model/process-fact.ts'
import type { Entry } from './entry.ts'
import { languageOfName } from './language.ts'
import { combine, exportsOtlp, parseOtelEnvironment } from './otel-env.ts'
import type { Candidate, Verdict } from './selection.ts'
import { nameService } from './service-name.ts'

/** Makes the fact of an entry; sets the entry's language. */
export function buildFact(
	entry: Entry,
	isSelf: boolean,
	decide: (candidate: Candidate) => Verdict,
	options: { excludeOtelInstrumented: boolean },
): { fact: ProcessFact; verdict: Verdict } {
	// Before the worker looked, the name under which it was started has to do: /usr/bin/python3 tells enough.
	const named = languageOfName(entry.executable)
	const started = named === 'generic' ? languageOfName(entry.commandLine[0] ?? '') : named
	entry.language =
		entry.scannedLanguage === undefined || (entry.scannedLanguage === 'generic' && named !== 'generic')
			? started
			: entry.scannedLanguage
	// A script (#!) was started under its own name: the interpreter is in argv until /proc tells the executable.
	const executable =
		entry.scannedLanguage === undefined && named === 'generic' && started !== 'generic'
			? (entry.commandLine[0] ?? '')
			: entry.executable
	const verdict = decide({
		pid: entry.pid,
		executable,
		commandLine: entry.commandLine,
		language: entry.language,
		inContainer: entry.inContainer,
		listenPorts: entry.listenPorts,
		isSelf,
	})
	const otel = parseOtelEnvironment(entry.otelEnv)
	const service = nameService({
		otel,
		configuredName: verdict.name,
		language: entry.language,
		executable,
		commandLine: entry.commandLine,
		packageName: entry.packageName,
		comm: entry.comm,
	})
	const {
		'service.name': _name,
		'service.namespace': namespace,
		...resourceAttributes
	} = otel.resourceAttributes
	const declared = exportsOtlp(entry.commandLine, entry.sdkVariables, otel, entry.linkedExporters)
	const traces = entry.seenTraces || declared === 'traces' || declared === 'both'
	const metrics = entry.seenMetrics || declared === 'metrics' || declared === 'both'
	const fact: ProcessFact = {
		pid: entry.pid,
		startNs: entry.startNs,
		parentPid: entry.parentPid,
		comm: entry.comm,
		executable,
		commandLine: entry.commandLine,
		language: entry.language,
		serviceName: service.name,
		serviceNameSource: service.source,
		serviceNamespace: namespace ?? verdict.namespace,
		serviceVersion: service.source === 'package' ? entry.packageVersion : '',
		resourceAttributes,
		containerId: entry.containerId,
		ownerUid: entry.uid,
		listenPorts: entry.listenPorts,
		selection: verdict.selection,
		selectionReason: verdict.reason,
		exportsOtlp: options.excludeOtelInstrumented ? combine(traces, metrics) : 'none',
		exitNs: entry.exitNs,
		imageNs: entry.imageNs,
	}
	return { fact, verdict }
}

export function sameFact(a: ProcessFact, b: ProcessFact): boolean {
	return (
		a.pid === b.pid &&
		a.startNs === b.startNs &&
		a.parentPid === b.parentPid &&
		a.comm === b.comm &&
		a.executable === b.executable &&
		sameList(a.commandLine, b.commandLine) &&
		a.language === b.language &&
		a.serviceName === b.serviceName &&
		a.serviceNameSource === b.serviceNameSource &&
		a.serviceNamespace === b.serviceNamespace &&
		a.serviceVersion === b.serviceVersion &&
		sameRecord(a.resourceAttributes, b.resourceAttributes) &&
		a.containerId === b.containerId &&
		a.ownerUid === b.ownerUid &&
		sameList(a.listenPorts, b.listenPorts) &&
		a.selection === b.selection &&
		a.selectionReason === b.selectionReason &&
		a.exportsOtlp === b.exportsOtlp &&
		a.exitNs === b.exitNs &&
		a.imageNs === b.imageNs
	)
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
	return a === b || (a.length === b.length && a.every((value, index) => value === b[index]))
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
	const names = Object.keys(a)
	return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
