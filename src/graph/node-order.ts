import { type Edges, levels } from './dag.ts'
import type { Node } from './node.ts'

/** All of them at once; waits for the last even when one throws, so that nothing goes on behind a rollback. */
export async function inParallel(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
	const failure = (await Promise.allSettled(ids.map(work))).find((one) => one.status === 'rejected')
	if (failure !== undefined) throw failure.reason
}

/** Level by level, what sends before what it sends to; independent ones together. */
export async function stopNodes(
	ids: readonly string[],
	edges: Edges,
	nodes: ReadonlyMap<string, Node>,
): Promise<void> {
	for (const level of [...levels(ids, edges)].reverse())
		await Promise.all(level.map((id) => nodes.get(id)!.stop()))
}
