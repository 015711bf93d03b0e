import type * as ast from './ast.ts'

/** Whether two trees say the same; places and comments do not count. */
export function sameBody(a: ast.Body, b: ast.Body): boolean {
	if (a.length !== b.length) return false
	for (let i = 0; i < a.length; i++) if (!sameStatement(a[i]!, b[i]!)) return false
	return true
}

function sameStatement(a: ast.Statement, b: ast.Statement): boolean {
	if (a.kind === 'attribute') {
		return b.kind === 'attribute' && a.name.name === b.name.name && sameExpression(a.value, b.value)
	}
	if (b.kind === 'attribute' || a.label !== b.label) return false
	return a.name.join('.') === b.name.join('.') && sameBody(a.body, b.body)
}

export function sameExpression(a: ast.Expr, b: ast.Expr): boolean {
	switch (a.kind) {
		case 'literal':
			return b.kind === 'literal' && a.type === b.type && a.raw === b.raw
		case 'identifier':
			return b.kind === 'identifier' && a.name === b.name
		case 'array':
			return b.kind === 'array' && sameList(a.elements, b.elements)
		case 'object':
			return b.kind === 'object' && sameFields(a.fields, b.fields)
		case 'access':
			return b.kind === 'access' && a.name.name === b.name.name && sameExpression(a.value, b.value)
		case 'index':
			return b.kind === 'index' && sameExpression(a.value, b.value) && sameExpression(a.index, b.index)
		case 'call':
			return b.kind === 'call' && sameExpression(a.value, b.value) && sameList(a.args, b.args)
		case 'unary':
			return b.kind === 'unary' && a.op === b.op && sameExpression(a.value, b.value)
		case 'binary':
			return (
				b.kind === 'binary' &&
				a.op === b.op &&
				sameExpression(a.left, b.left) &&
				sameExpression(a.right, b.right)
			)
		case 'paren':
			return b.kind === 'paren' && sameExpression(a.inner, b.inner)
	}
}

function sameList(a: readonly ast.Expr[], b: readonly ast.Expr[]): boolean {
	if (a.length !== b.length) return false
	for (let i = 0; i < a.length; i++) if (!sameExpression(a[i]!, b[i]!)) return false
	return true
}

function sameFields(a: readonly ast.ObjectField[], b: readonly ast.ObjectField[]): boolean {
	if (a.length !== b.length) return false
	for (let i = 0; i < a.length; i++) {
		const left = a[i]!
		const right = b[i]!
		if (left.name.name !== right.name.name || left.quoted !== right.quoted) return false
		if (!sameExpression(left.value, right.value)) return false
	}
	return true
}
