/** Edges point from a node to what it needs. */
export type Edges = ReadonlyMap<string, ReadonlySet<string>>

/** Groups of nodes that need each other (more than one node each), in the order of `ids`; iterative, so depth is no limit. */
export function findCycles(ids: readonly string[], edges: Edges): readonly (readonly string[])[] {
	const index = new Map<string, number>()
	const low = new Map<string, number>()
	const open = new Set<string>()
	const stack: string[] = []
	const groups: string[][] = []
	for (const root of ids) {
		if (index.has(root)) continue
		const work: { id: string; next: Iterator<string> }[] = []
		const enter = (id: string): void => {
			index.set(id, index.size)
			low.set(id, index.get(id)!)
			stack.push(id)
			open.add(id)
			work.push({ id, next: (edges.get(id) ?? new Set<string>()).values() })
		}
		enter(root)
		while (work.length > 0) {
			const top = work.at(-1)!
			const step = top.next.next()
			if (!step.done) {
				const to = step.value
				if (!index.has(to)) enter(to)
				else if (open.has(to)) low.set(top.id, Math.min(low.get(top.id)!, index.get(to)!))
				continue
			}
			work.pop()
			const parent = work.at(-1)
			if (parent !== undefined) low.set(parent.id, Math.min(low.get(parent.id)!, low.get(top.id)!))
			if (low.get(top.id) !== index.get(top.id)) continue
			const group: string[] = []
			for (;;) {
				const id = stack.pop()!
				open.delete(id)
				group.push(id)
				if (id === top.id) break
			}
			if (group.length > 1) groups.push(group)
		}
	}
	return groups
}

/** Nodes so that each stands after all it needs; file order otherwise. The graph has no cycles. */
export function leafFirst(ids: readonly string[], edges: Edges): readonly string[] {
	const out: string[] = []
	const seen = new Set<string>()
	for (const root of ids) {
		const work: { id: string; next: Iterator<string> }[] = []
		const enter = (id: string): void => {
			if (seen.has(id)) return
			seen.add(id)
			work.push({ id, next: (edges.get(id) ?? new Set<string>()).values() })
		}
		enter(root)
		while (work.length > 0) {
			const top = work.at(-1)!
			const step = top.next.next()
			if (!step.done) enter(step.value)
			else {
				out.push(top.id)
				work.pop()
			}
		}
	}
	return out
}

/** The same nodes in levels: a level needs only the ones before it, so its members can be handled at the same time. */
export function levels(ordered: readonly string[], edges: Edges): readonly (readonly string[])[] {
	const depth = new Map<string, number>()
	const out: string[][] = []
	for (const id of ordered) {
		let level = 0
		for (const to of edges.get(id) ?? []) level = Math.max(level, (depth.get(to) ?? -1) + 1)
		depth.set(id, level)
		const list = out[level]
		if (list === undefined) out[level] = [id]
		else list.push(id)
	}
	return out
}

/** Who refers to each. */
export function invert(edges: ReadonlyMap<string, ReadonlySet<string>>): Map<string, string[]> {
	const out = new Map<string, string[]>()
	for (const [from, needs] of edges)
		for (const to of needs) {
			const list = out.get(to)
			if (list === undefined) out.set(to, [from])
			else list.push(from)
		}
	return out
}
