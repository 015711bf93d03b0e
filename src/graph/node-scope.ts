import { createScope, type Scope } from '../eval/scope.ts'
import { ObjectValue, type Value } from '../eval/values.ts'
import type { Node } from './node.ts'

/** The exports of the nodes referred to, as nested objects: `otelcol.exporter.otlp.default`. */
export function scopeFor(
	needs: ReadonlySet<string>,
	nodes: ReadonlyMap<string, Node>,
	base: Scope,
	read: (node: Node) => Value | undefined,
): Scope {
	if (needs.size === 0) return base
	const tree: Tree = new Map()
	for (const id of needs) {
		const node = nodes.get(id)
		if (node === undefined) continue
		const path = id.split('.')
		let at = tree
		for (const part of path.slice(0, -1)) {
			let next = at.get(part)
			if (!(next instanceof Map)) {
				next = new Map()
				at.set(part, next)
			}
			at = next
		}
		at.set(path.at(-1)!, read(node) ?? new ObjectValue(new Map()))
	}
	const names = new Map<string, Value>()
	for (const [name, inner] of tree) names.set(name, fold(inner))
	return createScope(names, base)
}

type Tree = Map<string, Tree | Value>

const fold = (tree: Tree | Value): Value =>
	tree instanceof Map ? new ObjectValue(new Map([...tree].map(([name, inner]) => [name, fold(inner)]))) : tree
