import type { TypeName, Value } from './values.ts'

/**
 * What went wrong with a value. Causes form a chain from the outside in (argument → element → type); the innermost link
 * whose value was written down in the source is the place that a diagnostic points at.
 */
export type Problem =
	| { readonly kind: 'value'; readonly value: Value; readonly message: string; readonly inner?: Problem }
	| { readonly kind: 'type'; readonly value: Value; readonly expected: TypeName }
	| { readonly kind: 'missing-key'; readonly value: Value; readonly key: string }
	| {
			readonly kind: 'element'
			readonly value: Value
			readonly index: number
			readonly inner: Problem | string
	  }
	| {
			readonly kind: 'field'
			readonly value: Value
			readonly field: string
			readonly inner: Problem | string
	  }
	| { readonly kind: 'argument'; readonly value: Value; readonly inner: Problem | string }

export class ValueError extends Error {
	readonly problem: Problem
	constructor(problem: Problem) {
		super(problemText(problem))
		this.name = 'ValueError'
		this.problem = problem
	}
}

/** The plain text of a problem, without a place. */
export function problemText(problem: Problem): string {
	switch (problem.kind) {
		case 'value':
			return problem.message
		case 'type':
			return `expected ${problem.expected}, got ${problem.value.type}`
		case 'missing-key':
			return `key "${problem.key}" does not exist`
		default:
			return typeof problem.inner === 'string' ? problem.inner : problemText(problem.inner)
	}
}

export const typeError = (value: Value, expected: TypeName): ValueError =>
	new ValueError({ kind: 'type', value, expected })

export const valueError = (value: Value, message: string): ValueError =>
	new ValueError({ kind: 'value', value, message })

/** Wraps what `reason` says under an element, field or argument; anything else goes on unchanged. */
export function wrapProblem(reason: unknown, wrap: (inner: Problem | string) => Problem): never {
	if (reason instanceof ValueError) throw new ValueError(wrap(reason.problem))
	throw reason
}
