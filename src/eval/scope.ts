import type { Value } from './values.ts'

/** The names an expression can use: the scope's own first, then the standard library. */
export interface Scope {
	lookup(name: string): Value | undefined
}

export function createScope(variables: ReadonlyMap<string, Value>, outer?: Scope): Scope {
	return { lookup: (name) => variables.get(name) ?? outer?.lookup(name) }
}
