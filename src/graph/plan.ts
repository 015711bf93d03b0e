import type { Scope } from '../eval/scope.ts'
import { deprecatedNames, experimentalNames } from '../eval/stdlib/index.ts'
import type { Value } from '../eval/values.ts'
import type { Attribute, Block } from '../syntax/ast.ts'
import { type Diagnostic, formatPosition, hasErrors } from '../syntax/diag.ts'
import { noPosition } from '../syntax/source.ts'
import { ComponentNode } from './component-node.ts'
import { configBlocks, foreachStability, rootConfigNames, serviceBlocks } from './config-blocks.ts'
import { CustomNode } from './custom-node.ts'
import { CustomScope } from './customs.ts'
import { findCycles, leafFirst } from './dag.ts'
import { ForeachNode } from './foreach-node.ts'
import { ImportNode } from './import-node.ts'
import type { Module } from './module.ts'
import { blockDiagnostic, blockId, blockName, LoadError, type Node, nameDiagnostic } from './node.ts'
import { lookUp } from './registry.ts'
import type { Shared } from './shared.ts'
import { stabilityProblem } from './stability.ts'
import { resolveTraversal, type Traversal, traversalName, traversalsOfBody } from './traversals.ts'
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

/** Turns blocks into nodes and edges, reusing the nodes that run already. Problems are told in Alloy's order and words. */
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
		const edges = this.#wire()
		const ids = [...this.#nodes.keys()]
		this.#checkCycles(ids, edges)
		this.#fail()
		return {
			input: this.#input,
			nodes: this.#nodes,
			edges,
			order: leafFirst(ids, edges),
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

	#wire(): ReadonlyMap<string, ReadonlySet<string>> {
		const edges = new Map<string, Set<string>>()
		for (const [label, block] of this.#declares) edges.set(label, new Set(this.#usedDeclares(block)))
		for (const id of this.#nodes.keys()) {
			const needs = new Set<string>()
			const block = this.#blocks.get(id)!
			const node = this.#nodes.get(id)!
			if (node instanceof CustomNode) for (const need of this.#importsOf(block.name[0]!)) needs.add(need)
			if (node instanceof ForeachNode) for (const need of this.#importsIn(block)) needs.add(need)
			for (const traversal of traversalsOfBody(block.body)) this.#reference(traversal, node, needs)
			edges.set(id, needs)
		}
		return edges
	}

	/** The import nodes that a custom component comes from or that the declare behind it uses. */
	#importsOf(first: string): readonly string[] {
		for (const id of this.#nodes.keys())
			if (id.startsWith('import.') && id.slice(id.lastIndexOf('.') + 1) === first) return [id]
		const declare = this.#declares.get(`declare.${first}`)
		return declare === undefined ? [] : this.#importsIn(declare)
	}

	#importsIn(block: Block, depth = 0): readonly string[] {
		const out = new Set<string>()
		for (const inner of block.body) {
			if (inner.kind !== 'block' || depth > 32) continue
			const name = blockName(inner)
			if (name === 'declare' || name === 'foreach' || name === 'template')
				for (const id of this.#importsIn(inner, depth + 1)) out.add(id)
			else if (this.#customs.has(inner.name[0]!) && inner.name[0] !== block.label)
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
			else if (this.#declares.has(`declare.${inner.name[0]}`)) out.push(`declare.${inner.name[0]}`)
		}
		return out
	}

	#reference(traversal: Traversal, node: Node, needs: Set<string>): void {
		const first = traversal.parts[0]!
		const last = traversal.parts.at(-1)!
		const target = resolveTraversal(traversal, (id) => this.#nodes.has(id))
		const at = (end: number): Pick<Diagnostic, 'start' | 'end'> => ({
			start: traversal.source.position(first.start),
			end: traversal.source.position(end),
		})
		if (target !== undefined) {
			needs.add(target)
			return
		}
		const name = traversalName(traversal)
		const scope = this.#input.outer ?? this.#shared.stdlib
		if (scope.lookup(first.name) === undefined && first.name !== 'module_path') {
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

	#checkCycles(ids: readonly string[], edges: ReadonlyMap<string, ReadonlySet<string>>): void {
		const all = [...this.#declares.keys(), ...ids]
		const told = (message: string): void =>
			void this.#diagnostics.push({ severity: 'error', start: noPosition, end: noPosition, message })
		for (const group of findCycles(all, edges)) told(`cycle: ${group.join(', ')}`)
		for (const id of all) if (edges.get(id)?.has(id)) told(`self reference: ${id}`)
	}
}

function groupOf(block: Block): 'service' | 'declare' | 'config' | 'component' {
	const name = blockName(block)
	if (name === 'declare') return 'declare'
	if (configBlocks.has(name) || rootConfigNames.has(name)) return 'config'
	return serviceBlocks.has(blockId(block)) ? 'service' : 'component'
}
