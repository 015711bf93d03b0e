import type { Body, Expr, Ident } from '../syntax/ast.ts'
import type { Source } from '../syntax/source.ts'

/** An identifier and the fields accessed on it without interruption: `a.b.c` of `a.b.c[0].d`. */
export interface Traversal {
	readonly parts: readonly Pick<Ident, 'name' | 'start' | 'end'>[]
	readonly source: Source
}

export const traversalName = (traversal: Traversal): string =>
	traversal.parts.map((part) => part.name).join('.')

/** All traversals in a body, nested blocks included, in the order of the source. */
export function traversalsOfBody(body: Body): readonly Traversal[] {
	const out: Traversal[] = []
	collectBody(body, out)
	return out
}

function collectBody(body: Body, out: Traversal[]): void {
	for (const statement of body) {
		if (statement.kind === 'block') collectBody(statement.body, out)
		else collect(statement.value, statement.source, out)
	}
}

function collect(expr: Expr, source: Source, out: Traversal[]): void {
	switch (expr.kind) {
		case 'identifier':
			out.push({ parts: [expr], source })
			return
		case 'access': {
			const parts: Pick<Ident, 'name' | 'start' | 'end'>[] = []
			let at: Expr = expr
			while (at.kind === 'access') {
				parts.push(at.name)
				at = at.value
			}
			while (at.kind === 'paren') at = at.inner
			if (at.kind === 'identifier') out.push({ parts: [at, ...parts.reverse()], source })
			else collect(at, source, out)
			return
		}
		case 'literal':
			return
		case 'array':
			for (const element of expr.elements) collect(element, source, out)
			return
		case 'object':
			for (const field of expr.fields) collect(field.value, source, out)
			return
		case 'index':
			collect(expr.value, source, out)
			collect(expr.index, source, out)
			return
		case 'call':
			collect(expr.value, source, out)
			for (const arg of expr.args) collect(arg, source, out)
			return
		case 'unary':
			collect(expr.value, source, out)
			return
		case 'binary':
			collect(expr.left, source, out)
			collect(expr.right, source, out)
			return
		case 'paren':
			collect(expr.inner, source, out)
	}
}

/** The node a traversal names, by the first of its prefixes that is one. */
export function resolveTraversal(traversal: Traversal, has: (id: string) => boolean): string | undefined {
	let id = ''
	for (const part of traversal.parts) {
		id = id === '' ? part.name : `${id}.${part.name}`
		if (has(id)) return id
	}
	return undefined
}
