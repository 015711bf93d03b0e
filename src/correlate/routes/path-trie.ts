/**
 * What `low-cardinality` learns of one service's paths: a node that would get more than `limit` children merges them all
 * into one wildcard child, subtrees with them, and answers the wildcard from then on. Grows with the limit, not with
 * the paths seen: depth is bounded by the heuristic that runs before.
 */
export interface PathTrie {
	/** The path with collapsed segments replaced. */
	insert(path: string): string
}

interface Node {
	children: Map<string, Node>
	collapsed: boolean
}

export function createPathTrie(limit: number, wildcard: string): PathTrie {
	const root: Node = newNode()

	function step(node: Node, segment: string): [name: string, child: Node] {
		if (node.collapsed) return [wildcard, node.children.get(wildcard)!]
		const known = node.children.get(segment)
		if (known !== undefined) return [segment, known]
		if (node.children.size < limit) {
			const child = newNode()
			node.children.set(segment, child)
			return [segment, child]
		}
		collapse(node)
		return [wildcard, node.children.get(wildcard)!]
	}

	function collapse(node: Node): void {
		const merged = newNode()
		for (const child of node.children.values()) merge(merged, child)
		node.children = new Map([[wildcard, merged]])
		node.collapsed = true
	}

	function merge(into: Node, from: Node): void {
		if (from.collapsed && !into.collapsed) collapse(into)
		for (const [name, child] of from.children) {
			const key = into.collapsed ? wildcard : name
			const known = into.children.get(key)
			if (known === undefined) into.children.set(key, child)
			else merge(known, child)
		}
		if (!into.collapsed && into.children.size > limit) collapse(into)
	}

	return {
		insert(path) {
			const rooted = path.startsWith('/')
			const segments = (rooted ? path.slice(1) : path).split('/')
			let node = root
			for (let i = 0; i < segments.length; i++) {
				const [name, child] = step(node, segments[i]!)
				segments[i] = name
				node = child
			}
			return rooted ? `/${segments.join('/')}` : segments.join('/')
		},
	}
}

function newNode(): Node {
	return { children: new Map(), collapsed: false }
}
