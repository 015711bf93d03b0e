/** One step of a path. */
export type Fragment =
	| { readonly kind: 'root' | 'current' | 'wildcard' | 'descent' }
	| { readonly kind: 'child'; readonly name: string }
	| { readonly kind: 'nth'; readonly index: number }
	| {
			readonly kind: 'slice'
			readonly start: number
			readonly end: number | undefined
			readonly step: number
	  }
	| { readonly kind: 'union'; readonly members: readonly (string | number)[] }
	| { readonly kind: 'filter'; readonly test: Equation }

/** What a filter asks of each child. */
export type Equation =
	| {
			readonly kind: 'value'
			readonly data: null | boolean | number | bigint | string | RegExp | readonly unknown[] | typeof nothing
	  }
	| { readonly kind: 'path'; readonly path: readonly Fragment[] }
	| { readonly kind: 'not'; readonly operand: Equation }
	| { readonly kind: 'binary'; readonly op: string; readonly left: Equation; readonly right: Equation }
	| { readonly kind: 'call'; readonly name: string; readonly args: readonly Equation[] }

/** What a path that finds nothing is equal to. */
export const nothing = Symbol('nothing')
