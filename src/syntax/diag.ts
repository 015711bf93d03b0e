import type { Position } from './source.ts'

export type Severity = 'error' | 'warning'

/** One thing wrong with a source text. `end` is inclusive; equal to `start` or `noPosition` when only a point is known. */
export interface Diagnostic {
	readonly severity: Severity
	readonly start: Position
	readonly end: Position
	readonly message: string
	/** What Vör adds to Alloy's text: shown on a TTY, with `--explain` and in `--json`, never elsewhere. */
	readonly help?: readonly string[]
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
	return diagnostics.some((one) => one.severity === 'error')
}

/** `file:line:column`, without the parts that are unknown; `-` for no place at all. */
export function formatPosition(at: Position): string {
	if (at.line === 0) return at.filename === '' ? '-' : at.filename
	return at.filename === '' ? `${at.line}:${at.column}` : `${at.filename}:${at.line}:${at.column}`
}

/** The one-line form: `file:line:column: message`. */
export function formatDiagnostic(one: Diagnostic): string {
	return `${formatPosition(one.start)}: ${one.message}`
}
