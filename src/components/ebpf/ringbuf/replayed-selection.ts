import type { RawBatch } from '../../../model/batch.ts'
import type { ProcessFact } from '../../../model/process-fact.ts'
import { compileSelection, evaluate, type SelectionSource } from '../../../process/selection.ts'

/**
 * The pipeline's own `discovery`, asked for the processes of a recording: the recorder took in everything. What its facts do
 * not tell (a pid namespace of its own without a container id) is not known here either.
 */
export function createReplayedSelection(source: SelectionSource): (batch: RawBatch) => RawBatch {
	const { rules } = compileSelection(source)

	function decide(fact: ProcessFact): ProcessFact {
		const { commandLine, containerId, executable, language, listenPorts, pid } = fact
		const inContainer = containerId !== ''
		// The recorder left out itself alone, and whoever else it rejected sent nothing.
		if (fact.selection === 'rejected') return fact
		const verdict = evaluate(rules, {
			pid,
			executable,
			commandLine,
			language,
			inContainer,
			listenPorts,
			isSelf: false,
		})
		const named = verdict.name !== '' && !fact.serviceNameSource.startsWith('OTEL_')
		return {
			...fact,
			...(named
				? { serviceName: verdict.name, serviceNameSource: 'configuration' as const, serviceVersion: '' }
				: {}),
			serviceNamespace: fact.serviceNamespace === '' ? verdict.namespace : fact.serviceNamespace,
			selection: verdict.selection,
			selectionReason: verdict.reason,
			exportsOtlp: rules.excludeOtelInstrumented ? fact.exportsOtlp : 'none',
		}
	}

	return (batch) =>
		batch.processes.length === 0 ? batch : { ...batch, processes: batch.processes.map(decide) }
}
