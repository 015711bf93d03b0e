import type { Scope } from '../eval/scope.ts'
import type { Value } from '../eval/values.ts'
import type { Attribute, Block } from '../syntax/ast.ts'
import { type Diagnostic, formatPosition, hasErrors } from '../syntax/diag.ts'
import { noPosition } from '../syntax/source.ts'
import { ComponentNode } from './component-node.ts'
import { configBlocks, foreachStability, rootConfigNames, serviceBlocks } from './config-blocks.ts'
import { CustomNode } from './custom-node.ts'
import { CustomScope } from './customs.ts'
import { leafFirst } from './dag.ts'
import { ForeachNode } from './foreach-node.ts'
import { ImportNode } from './import-node.ts'
import type { Module } from './module.ts'
import { blockDiagnostic, blockId, blockName, LoadError, type Node, nameDiagnostic } from './node.ts'
import { PlanWiring } from './plan-wiring.ts'
import { lookUp } from './registry.ts'
import type { Shared } from './shared.ts'
import { stabilityProblem } from './stability.ts'
import { ArgumentNode, ExportNode, ServiceNode } from './value-nodes.ts'

/** What a module is made from. */
export interface ModuleInput {
	readonly blocks: readonly Block[]
	/** Top-level attributes, which are always wrong. */
	readonly attributes: readonly Attribute[]
	/** Custom components of the modules around it. */
	readonly customs: CustomScope | undefined
	readonly modulePath: string
	/** Values given by its user; undefined for the configuration itself. */
	readonly args: ReadonlyMap<string, Value> | undefined
	/** Names visible besides its own nodes and the standard library (a `foreach` variable). */
	readonly outer: Scope | undefined
}

/** A configuration that was evaluated but is not in force. */
export interface Plan {
	readonly input: ModuleInput
	readonly nodes: ReadonlyMap<string, Node>
	readonly edges: ReadonlyMap<string, ReadonlySet<string>>
	readonly order: readonly string[]
	readonly customs: CustomScope
}

/** Turns blocks into nodes, reusing the nodes that run already. Problems are told in Alloy's order and words. */
export class PlanBuilder {
	readonly warnings: Diagnostic[] = []
	readonly #diagnostics: Diagnostic[] = []
	readonly #module: Module
	readonly #shared: Shared
	readonly #input: ModuleInput
	readonly #running: ReadonlyMap<string, Node>
	readonly #customs: CustomScope
	readonly #nodes = new Map<string, Node>()
	readonly #blocks = new Map<string, Block>()
	readonly #declares = new Map<string, Block>()

	constructor(module: Module, shared: Shared, input: ModuleInput, running: ReadonlyMap<string, Node>) {
		this.#module = module
		this.#shared = shared
		this.#input = input
		this.#running = running
		this.#customs = new CustomScope(input.modulePath, input.customs)
	}

	blockOf(id: string): Block {
		return this.#blocks.get(id)!
	}

	get #root(): boolean {
		return this.#input.args === undefined
	}

	build(): Plan {
		for (const attribute of this.#input.attributes) this.#attribute(attribute)
		this.#fail()
		const groups = {
			service: [] as Block[],
			declare: [] as Block[],
			config: [] as Block[],
			component: [] as Block[],
		}
		for (const block of this.#input.blocks) groups[groupOf(block)].push(block)
		for (const block of groups.service) this.#addService(block)
		for (const block of groups.declare) this.#addDeclare(block)
		const configs = new Map<string, Block>()
		for (const block of groups.config) this.#addConfig(block, configs)
		this.#checkArguments()
		for (const block of groups.component) this.#addComponent(block)
		const wiring = new PlanWiring(
			{
				nodes: this.#nodes,
				blocks: this.#blocks,
				declares: this.#declares,
				customs: this.#customs,
				scope: this.#input.outer ?? this.#shared.stdlib,
			},
			this.#shared,
			this.#diagnostics,
		)
		const edges = wiring.wire()
		wiring.checkCycles(edges)
		this.#fail()
		return {
			input: this.#input,
			nodes: this.#nodes,
			edges,
			order: leafFirst([...this.#nodes.keys()], edges),
			customs: this.#customs,
		}
	}

	#fail(): void {
		if (hasErrors(this.#diagnostics)) throw new LoadError(this.#diagnostics)
	}

	#attribute(attribute: Attribute): void {
		const { name, source } = attribute
		this.#diagnostics.push({
			severity: 'error',
			start: source.position(name.start),
			end: source.position(name.end),
			message: `unrecognized attribute ${name.name}`,
		})
	}

	/** Notes a block whose id is taken in `seen`; true when it is. */
	#taken(block: Block, seen: Map<string, Block>): boolean {
		const id = blockId(block)
		const first = seen.get(id)
		if (first === undefined) {
			seen.set(id, block)
			return false
		}
		const at = formatPosition(first.source.position(first.start))
		this.#diagnostics.push(nameDiagnostic(block, id.length, `block ${id} already declared at ${at}`))
		return true
	}

	#keep<N extends Node>(id: string, block: Block, make: () => N, fits: (node: Node) => boolean): void {
		const running = this.#running.get(id)
		this.#nodes.set(id, running !== undefined && fits(running) ? running : make())
		this.#blocks.set(id, block)
	}

	readonly #services = new Map<string, Block>()

	#addService(block: Block): void {
		const id = blockId(block)
		if (!this.#root) {
			this.#diagnostics.push(blockDiagnostic(block, `service blocks not allowed inside a module: "${id}"`))
			return
		}
		if (this.#services.has(id)) {
			this.#diagnostics.push(blockDiagnostic(block, `duplicate definition of "${id}"`))
			return
		}
		this.#services.set(id, block)
		const schema = serviceBlocks.get(id)!
		this.#keep(
			id,
			block,
			() => new ServiceNode(id, block, schema, false, this.#shared),
			(node) => node instanceof ServiceNode,
		)
	}

	#addDeclare(block: Block): void {
		if (block.label === 'declare') {
			this.#diagnostics.push(blockDiagnostic(block, "'declare' is not a valid label for a declare block"))
			return
		}
		if (this.#taken(block, this.#declares)) return
		this.#customs.declares.set(block.label, block)
	}

	#addConfig(block: Block, seen: Map<string, Block>): void {
		const id = blockId(block)
		const name = blockName(block)
		if (this.#taken(block, seen)) return
		if (rootConfigNames.has(name)) {
			if (!this.#root) {
				this.#diagnostics.push(blockDiagnostic(block, `${name} block not allowed inside a module`))
				return
			}
			const schema = serviceBlocks.get(name)!
			this.#keep(
				id,
				block,
				() => new ServiceNode(id, block, schema, true, this.#shared),
				(node) => node instanceof ServiceNode,
			)
			return
		}
		if (name === 'argument' || name === 'export') {
			if (this.#root) {
				this.#diagnostics.push(blockDiagnostic(block, `${name} blocks only allowed inside a module`))
				return
			}
			if (name === 'argument')
				this.#keep(
					id,
					block,
					() => new ArgumentNode(id, block, this.#module.given, this.#module),
					(node) => node instanceof ArgumentNode,
				)
			else
				this.#keep(
					id,
					block,
					() => new ExportNode(id, block, this.#module),
					(node) => node instanceof ExportNode,
				)
			return
		}
		if (name === 'foreach') {
			const problem = stabilityProblem('foreach block "foreach"', foreachStability, this.#shared.stability)
			if (problem !== undefined) this.#diagnostics.push(nameDiagnostic(block, name.length, problem))
			this.#keep(
				id,
				block,
				() => new ForeachNode(id, block, this.#shared, this.#module, () => this.#customs),
				(node) => node instanceof ForeachNode,
			)
			;(this.#nodes.get(id) as ForeachNode).customs = () => this.#customs
			return
		}
		this.#keep(
			id,
			block,
			() => new ImportNode(id, block, this.#shared, this.#module),
			(node) => node instanceof ImportNode,
		)
		this.#customs.imports.set(block.label, (this.#nodes.get(id) as ImportNode).offer())
	}

	/** What the user of the module gave and it does not take. */
	#checkArguments(): void {
		for (const name of this.#input.args?.keys() ?? [])
			if (!this.#nodes.has(`argument.${name}`))
				this.#diagnostics.push({
					severity: 'error',
					start: noPosition,
					end: noPosition,
					message: `Provided argument "${name}" is not defined in the module`,
				})
	}

	readonly #components = new Map<string, Block>()

	#addComponent(block: Block): void {
		if (this.#taken(block, this.#components)) return
		const id = blockId(block)
		const name = blockName(block)
		if (this.#customs.has(block.name[0]!)) {
			if (block.label === '') {
				this.#diagnostics.push(nameDiagnostic(block, name.length, `component "${name}" must have a label`))
				return
			}
			this.#keep(
				id,
				block,
				() => new CustomNode(id, block, this.#shared, this.#module),
				(node) => node instanceof CustomNode,
			)
			;(this.#nodes.get(id) as CustomNode).offer(this.#customs)
			return
		}
		const found = lookUp(this.#shared.registry, name, this.#shared.stability)
		if ('problem' in found) {
			this.#diagnostics.push(nameDiagnostic(block, name.length, found.problem))
			return
		}
		const { definition } = found
		if (definition.singleton !== true && block.label === '') {
			this.#diagnostics.push(nameDiagnostic(block, name.length, `component "${name}" must have a label`))
			return
		}
		if (definition.singleton === true && block.label !== '') {
			this.#diagnostics.push(
				nameDiagnostic(block, name.length, `component "${name}" does not support labels`),
			)
			return
		}
		this.#keep(
			id,
			block,
			() => new ComponentNode(id, block, definition, this.#shared, this.#module),
			(node) => node instanceof ComponentNode && node.definition === definition,
		)
	}
}

function groupOf(block: Block): 'service' | 'declare' | 'config' | 'component' {
	const name = blockName(block)
	if (name === 'declare') return 'declare'
	if (configBlocks.has(name) || rootConfigNames.has(name)) return 'config'
	return serviceBlocks.has(blockId(block)) ? 'service' : 'component'
}
