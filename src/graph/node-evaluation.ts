import type { ActiveSpan } from '../telemetry/tracer.ts'
import type { Node } from './node.ts'

/** Something that a node refers to has other exports than at that moment (`tick`). */
export function changedSince(
	nodes: ReadonlyMap<string, Node>,
	needs: ReadonlySet<string>,
	moment: number,
): boolean {
	for (const need of needs) if ((nodes.get(need)?.exportsChangedAt ?? 0) > moment) return true
	return false
}

/** Of one evaluation; what that leads to finds it at the node. */
export function evaluationSpan(cause: ActiveSpan | undefined, node: Node): ActiveSpan | undefined {
	const span = cause?.child('EvaluateNode')
	span?.set('node_id', node.id)
	node.span = span
	return span
}
