import { formatDiagnostic } from '../syntax/diag.ts'
import { parseExpression } from '../syntax/parser.ts'
import { DiagnosticError, Evaluator } from './evaluate.ts'
import type { Scope } from './scope.ts'
import { UnplacedError } from './stdlib/function.ts'
import type { Value } from './values.ts'

export type TextResult =
	| { readonly ok: true; readonly value: Value }
	| { readonly ok: false; readonly error: string }

/** Evaluates one expression given as text; the error is what Alloy's evaluator says, with the place in front. */
export function evaluateText(text: string, scope: Scope): TextResult {
	const { expr, source, diagnostics } = parseExpression('', text)
	const first = diagnostics[0]
	if (first !== undefined) return { ok: false, error: `parse: ${formatDiagnostic(first)}` }
	const evaluator = new Evaluator(source, scope)
	try {
		return { ok: true, value: evaluator.located(() => evaluator.evaluate(expr)) }
	} catch (reason) {
		if (reason instanceof DiagnosticError) return { ok: false, error: formatDiagnostic(reason.diagnostic) }
		if (reason instanceof UnplacedError) return { ok: false, error: reason.message }
		throw reason
	}
}
