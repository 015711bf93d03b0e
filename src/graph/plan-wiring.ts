import type { Scope } from '../eval/scope.ts'
import { deprecatedNames, experimentalNames } from '../eval/stdlib/index.ts'
import type { Block } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import { noPosition } from '../syntax/source.ts'
import { CustomNode } from './custom-node.ts'
import type { CustomScope } from './customs.ts'
import { findCycles } from './dag.ts'
import { ForeachNode } from './foreach-node.ts'
import { blockName, type Node } from './node.ts'
import type { Shared } from './shared.ts'
import { stabilityProblem } from './stability.ts'
import { resolveTraversal, type Traversal, traversalName, traversalsOfBody } from './traversals.ts'

/** The nodes of a plan, complete, by id. */
export interface PlanParts {
	readonly nodes: ReadonlyMap<string, Node>
	readonly blocks: ReadonlyMap<string, Block>
	readonly declares: ReadonlyMap<string, Block>
	readonly customs: CustomScope
	/** Names visible besides the nodes. */
	readonly scope: Scope
}

/** Finds what refers to what, by names in expressions and by the custom components that are used. */
export class PlanWiring {
	readonly #parts: PlanParts
	readonly #shared: Shared
	readonly #diagnostics: Diagnostic[]

	/** Problems go into `diagnostics`. */
	constructor(parts: PlanParts, shared: Shared, diagnostics: Diagnostic[]) {
		this.#parts = parts
		this.#shared = shared
		this.#diagnostics = diagnostics
	}

	/** What each node, and each `declare`, needs. */
	wire(): ReadonlyMap<string, ReadonlySet<string>> {
		const edges = new Map<string, Set<string>>()
		for (const [label, block] of this.#parts.declares) edges.set(label, new Set(this.#usedDeclares(block)))
		for (const id of this.#parts.nodes.keys()) {
			const needs = new Set<string>()
			const block = this.#parts.blocks.get(id)!
			const node = this.#parts.nodes.get(id)!
			if (node instanceof CustomNode) for (const need of this.#importsOf(block.name[0]!)) needs.add(need)
			if (node instanceof ForeachNode) for (const need of this.#importsIn(block)) needs.add(need)
			for (const traversal of traversalsOfBody(block.body)) this.#reference(traversal, node, needs)
			edges.set(id, needs)
		}
		return edges
	}

	/** The import nodes that a custom component comes from or that the declare behind it uses. */
	#importsOf(first: string): readonly string[] {
		for (const id of this.#parts.nodes.keys())
			if (id.startsWith('import.') && id.slice(id.lastIndexOf('.') + 1) === first) return [id]
		const declare = this.#parts.declares.get(`declare.${first}`)
		return declare === undefined ? [] : this.#importsIn(declare)
	}

	#importsIn(block: Block, depth = 0): readonly string[] {
		const out = new Set<string>()
		for (const inner of block.body) {
			if (inner.kind !== 'block' || depth > 32) continue
			const name = blockName(inner)
			if (name === 'declare' || name === 'foreach' || name === 'template')
				for (const id of this.#importsIn(inner, depth + 1)) out.add(id)
			else if (this.#parts.customs.has(inner.name[0]!) && inner.name[0] !== block.label)
				for (const id of this.#importsOf(inner.name[0]!)) out.add(id)
		}
		return [...out]
	}

	#usedDeclares(block: Block): readonly string[] {
		const out: string[] = []
		for (const inner of block.body) {
			if (inner.kind !== 'block') continue
			const name = blockName(inner)
			if (name === 'declare') out.push(...this.#usedDeclares(inner))
			else if (this.#parts.declares.has(`declare.${inner.name[0]}`)) out.push(`declare.${inner.name[0]}`)
		}
		return out
	}

	#reference(traversal: Traversal, node: Node, needs: Set<string>): void {
		const first = traversal.parts[0]!
		const last = traversal.parts.at(-1)!
		const target = resolveTraversal(traversal, (id) => this.#parts.nodes.has(id))
		const at = (end: number): Pick<Diagnostic, 'start' | 'end'> => ({
			start: traversal.source.position(first.start),
			end: traversal.source.position(end),
		})
		if (target !== undefined) {
			needs.add(target)
			return
		}
		const name = traversalName(traversal)
		if (this.#parts.scope.lookup(first.name) === undefined && first.name !== 'module_path') {
			// What a template uses is checked inside the template.
			if (!(node instanceof ForeachNode))
				this.#diagnostics.push({
					severity: 'error',
					...at(last.end),
					message: `component "${name}" does not exist or is out of scope`,
				})
			return
		}
		if (deprecatedNames.has(first.name))
			this.#shared.logger.warn(
				'this stdlib function is deprecated; please refer to the documentation for updated usage and alternatives',
				{ function: first.name },
			)
		else if (experimentalNames.has(name)) {
			const problem = stabilityProblem(name, 'experimental', this.#shared.stability)
			if (problem !== undefined)
				this.#diagnostics.push({ severity: 'error', ...at(last.end), message: problem })
		}
	}

	checkCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): void {
		const all = [...this.#parts.declares.keys(), ...this.#parts.nodes.keys()]
		const told = (message: string): void =>
			void this.#diagnostics.push({ severity: 'error', start: noPosition, end: noPosition, message })
		for (const group of findCycles(all, edges)) told(`cycle: ${group.join(', ')}`)
		for (const id of all) if (edges.get(id)?.has(id)) told(`self reference: ${id}`)
	}
}
