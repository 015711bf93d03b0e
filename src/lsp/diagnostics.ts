import {
	DiagnosticSeverity,
	DiagnosticTag,
	type Diagnostic as LspDiagnostic,
	type Range,
} from 'vscode-languageserver'
import { type Diagnostic, formatDiagnostic } from '../syntax/diag.ts'
import type { Text } from './text.ts'

/** A diagnostic as the protocol has it; one that is about another file stands at the top and says so. */
export function toProtocol(one: Diagnostic, text: Text): LspDiagnostic {
	const here = one.start.filename === text.source.name && one.start.line > 0
	const message = here || one.start.line === 0 ? one.message : formatDiagnostic(one)
	const tags: DiagnosticTag[] = []
	if (one.severity === 'warning' && one.message.includes('deprecated')) tags.push(DiagnosticTag.Deprecated)
	if (one.severity === 'warning' && one.message.includes('has no effect'))
		tags.push(DiagnosticTag.Unnecessary)
	return {
		range: here ? rangeOf(one, text) : text.range(0, 0),
		severity: one.severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
		source: 'vor',
		message: [message, ...(one.help ?? [])].join('\n'),
		...(tags.length > 0 ? { tags } : {}),
	}
}

/** A point is widened to the word that stands there, so that there is something to see. */
function rangeOf({ start, end }: Diagnostic, text: Text): Range {
	const { bytes } = text.source
	if (end.line > 0 && end.offset > start.offset)
		return text.range(start.offset, Math.min(end.offset + 1, bytes.length))
	let stop = start.offset
	while (stop < bytes.length && /[\w.\x80-\xff]/.test(bytes[stop]!)) stop++
	return text.range(start.offset, Math.max(stop, Math.min(start.offset + 1, bytes.length)))
}
