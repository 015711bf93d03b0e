import type { Value } from '../eval/values.ts'
import type { LiveChannel } from '../flow/live.ts'
import type { Block } from '../syntax/ast.ts'
import { ComponentNode } from './component-node.ts'
import { CustomNode } from './custom-node.ts'
import { ForeachNode } from './foreach-node.ts'
import type { Health } from './health.ts'
import type { Module } from './module.ts'
import { blockName, type Node } from './node.ts'

/** One component as the API shows it. */
export interface ComponentInfo {
	readonly moduleId: string
	readonly localId: string
	/** Name of the component: `otelcol.exporter.otlp`. */
	readonly name: string
	readonly label: string
	readonly health: Health
	readonly referencesTo: readonly string[]
	readonly referencedBy: readonly string[]
	readonly block: Block
	/** Decoded arguments of a built-in component; values of a custom one. */
	readonly args: unknown
	readonly exports: Value | undefined
	readonly definition: ComponentNode['definition'] | undefined
	readonly createdModuleIds: readonly string[]
	/** Of a built-in component. */
	readonly live: LiveChannel | undefined
	debugInfo(): unknown
}

/** The components of a module and of the modules in it, what is referred to first. */
export function componentsOf(module: Module): readonly ComponentInfo[] {
	const out: ComponentInfo[] = []
	for (const id of module.order) {
		const node = module.nodes.get(id)!
		const isComponent =
			node instanceof ComponentNode || node instanceof CustomNode || node instanceof ForeachNode
		if (!isComponent) continue
		out.push(infoOf(module, node))
		if (node instanceof CustomNode) out.push(...componentsOf(node.module))
		if (node instanceof ForeachNode)
			for (const child of node.modules.values()) out.push(...componentsOf(child))
	}
	return out
}

function infoOf(module: Module, node: Node): ComponentInfo {
	const isShown = (id: string): boolean => {
		const other = module.nodes.get(id)
		return other instanceof ComponentNode || other instanceof CustomNode || other instanceof ForeachNode
	}
	return {
		moduleId: module.id,
		localId: node.id,
		name: blockName(node.block),
		label: node.block.label,
		health: node.health.current,
		referencesTo: [...node.needs].filter(isShown).sort(),
		referencedBy: module.dependents(node.id).filter(isShown).sort(),
		block: node.block,
		args: node instanceof ComponentNode || node instanceof CustomNode ? node.args : undefined,
		exports: node.exports,
		definition: node instanceof ComponentNode ? node.definition : undefined,
		createdModuleIds:
			node instanceof CustomNode
				? [node.module.id]
				: node instanceof ForeachNode
					? [...node.modules.values()].map((child) => child.id)
					: [],
		live: node instanceof ComponentNode ? node.channel : undefined,
		debugInfo: () => (node instanceof ComponentNode ? node.debugInfo() : undefined),
	}
}
