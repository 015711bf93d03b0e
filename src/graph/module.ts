import { createScope, type Scope } from '../eval/scope.ts'
import { deprecatedNames, experimentalNames } from '../eval/stdlib/index.ts'
import { ObjectValue, stringValue, UnknownValue, type Value } from '../eval/values.ts'
import type { Attribute, Block } from '../syntax/ast.ts'
import { type Diagnostic, formatPosition, hasErrors } from '../syntax/diag.ts'
import { noPosition } from '../syntax/source.ts'
import { ComponentNode, type ModuleRef } from './component-node.ts'
import { configBlocks, foreachStability, rootConfigNames, serviceBlocks } from './config-blocks.ts'
import { CustomNode } from './custom-node.ts'
import { CustomScope } from './customs.ts'
import { findCycles, leafFirst, levels } from './dag.ts'
import { describeExports } from './describe-exports.ts'
import { ForeachNode } from './foreach-node.ts'
import { ImportNode } from './import-node.ts'
import {
	blockDiagnostic,
	blockId,
	blockName,
	LoadError,
	messageOf,
	type Node,
	nameDiagnostic,
} from './node.ts'
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
interface Plan {
	readonly input: ModuleInput
	readonly nodes: ReadonlyMap<string, Node>
	readonly edges: ReadonlyMap<string, ReadonlySet<string>>
	readonly order: readonly string[]
	readonly customs: CustomScope
}

export interface ModuleChanges {
	readonly added: readonly string[]
	readonly removed: readonly string[]
	readonly kept: readonly string[]
}

/** The nodes of one configuration, of one instance of a custom component, or of one item of a `foreach`. */
export class Module implements ModuleRef {
	/** '' at the root, `m.one` in a custom component, `m.one/n.two` below that. */
	readonly id: string
	readonly path: string
	readonly #shared: Shared
	readonly #onValues: () => void
	#nodes: ReadonlyMap<string, Node> = new Map()
	#edges: ReadonlyMap<string, ReadonlySet<string>> = new Map()
	#order: readonly string[] = []
	#rank = new Map<string, number>()
	#dependents = new Map<string, string[]>()
	#plan: Plan | undefined
	#args: ReadonlyMap<string, Value> | undefined
	#scope: Scope
	readonly #dirty = new Set<string>()
	readonly #tracked = new Set<Promise<void>>()
	readonly #retired: (() => Promise<void>)[] = []
	#started = false

	/** `onValues` is told when one of the module's `export` blocks has a new value. */
	constructor(id: string, shared: Shared, onValues: () => void = () => {}) {
		this.id = id
		this.path = `/${id}`
		this.#shared = shared
		this.#onValues = onValues
		this.#scope = shared.stdlib
	}

	get nodes(): ReadonlyMap<string, Node> {
		return this.#nodes
	}

	get order(): readonly string[] {
		return this.#order
	}

	dependents(id: string): readonly string[] {
		return this.#dependents.get(id) ?? []
	}

	/** The values of its `export` blocks: those to be while a plan is open. */
	values(): Value {
		const nodes = this.#plan?.nodes ?? this.#nodes
		const out = new Map<string, Value>()
		for (const node of nodes.values())
			if (node instanceof ExportNode && node.preview !== undefined) out.set(node.block.label, node.preview)
		return new ObjectValue(out, true)
	}

	/** Evaluates a new configuration and builds what is new. Throws a `LoadError` after taking all of it back. */
	async prepare(input: ModuleInput): Promise<void> {
		const builder = new PlanBuilder(this, this.#shared, input, this.#nodes)
		const plan = builder.build()
		this.#plan = plan
		const scope = this.#baseScope(input, plan.customs)
		const diagnostics: Diagnostic[] = [...builder.warnings]
		const failed = new Set<string>()
		for (const id of plan.order) {
			const node = plan.nodes.get(id)!
			const needs = plan.edges.get(id)!
			// Of what follows from another node's failure only the cause is told.
			if (![...needs].every((need) => !failed.has(need) || plan.nodes.get(need) instanceof ImportNode)) {
				failed.add(id)
				continue
			}
			try {
				await node.prepare(
					builder.blockOf(id),
					scopeFor(needs, plan.nodes, scope, (one) => one.preview),
				)
			} catch (reason) {
				failed.add(id)
				if (!(reason instanceof LoadError)) throw reason
				diagnostics.push(...reason.diagnostics)
				if (!this.#shared.dry) continue
				// While only checking, the rest is checked as if this one were right.
				failed.delete(id)
				node.setExports(
					node instanceof ComponentNode
						? describeExports(node.definition, node.definition.args.defaults())
						: new UnknownValue('any'),
				)
			}
		}
		if (!hasErrors(diagnostics)) return
		await this.rollback()
		throw new LoadError(diagnostics)
	}

	#baseScope(input: ModuleInput, customs: CustomScope): Scope {
		const own = new Map<string, Value>([['module_path', stringValue(customs.modulePath)]])
		return createScope(own, input.outer ?? this.#shared.stdlib)
	}

	/** Values for argument nodes: those to be while a plan is open. */
	readonly given = (): ReadonlyMap<string, Value> => this.#plan?.input.args ?? this.#args ?? new Map()

	async rollback(): Promise<void> {
		const plan = this.#plan
		this.#plan = undefined
		for (const node of plan?.nodes.values() ?? []) await node.rollback()
	}

	/** Puts the plan in force: sinks first, so that what feeds them is turned over to them when they are ready. */
	async commit(): Promise<ModuleChanges> {
		const plan = this.#plan
		if (plan === undefined) return { added: [], removed: [], kept: [...this.#nodes.keys()] }
		const old = this.#nodes
		const oldOrder = this.#order
		const oldEdges = this.#edges
		this.#args = plan.input.args
		this.#scope = this.#baseScope(plan.input, plan.customs)
		this.#nodes = plan.nodes
		this.#edges = plan.edges
		this.#order = plan.order
		this.#rank = new Map(plan.order.map((id, at) => [id, at]))
		this.#dependents = invert(plan.edges)
		for (const [id, node] of plan.nodes) node.needs = plan.edges.get(id)!
		for (const id of plan.order) {
			const node = plan.nodes.get(id)!
			await node.commit()
			if (this.#started) await node.start()
		}
		this.#plan = undefined
		this.#markStale()
		this.settle()
		await this.settled()
		const removed = oldOrder.filter((id) => plan.nodes.get(id) !== old.get(id))
		await stopNodes(removed, oldEdges, old)
		return {
			added: plan.order.filter((id) => old.get(id) !== plan.nodes.get(id)),
			removed,
			kept: plan.order.filter((id) => old.get(id) === plan.nodes.get(id)),
		}
	}

	/** Starts everything, what is referred to before what refers to it, independent nodes together. */
	async start(): Promise<void> {
		this.#started = true
		for (const level of levels(this.#order, this.#edges))
			await Promise.all(level.map((id) => this.#nodes.get(id)!.start()))
	}

	/** Stops everything, sources first; each level has drained before the one it feeds is asked to. */
	async stop(): Promise<void> {
		this.#started = false
		await stopNodes(this.#order, this.#edges, this.#nodes)
		this.#nodes = new Map()
		this.#order = []
		this.#edges = new Map()
		this.#dependents = new Map()
	}

	/** New values for its arguments, from outside a reload. */
	setArguments(args: ReadonlyMap<string, Value>): void {
		this.#args = args
		for (const node of this.#nodes.values()) if (node instanceof ArgumentNode) this.#dirty.add(node.id)
		this.settle()
	}

	exportsChanged(node: Node): void {
		this.#shared.changed({ kind: 'exports', module: this.id, id: node.id })
		for (const id of this.dependents(node.id)) this.#dirty.add(id)
		if (this.#dirty.size > 0) this.#shared.schedule(this)
	}

	valueChanged(): void {
		this.#onValues()
	}

	track(work: Promise<void>): void {
		const done = work.finally(() => this.#tracked.delete(done))
		this.#tracked.add(done)
	}

	async settled(): Promise<void> {
		while (this.#tracked.size > 0) {
			await Promise.all(this.#tracked)
			this.settle()
		}
	}

	/** What was evaluated before something it refers to changed. */
	#markStale(): void {
		for (const [id, node] of this.#nodes)
			for (const need of node.needs)
				if ((this.#nodes.get(need)?.exportsChangedAt ?? 0) > node.evaluatedAt) this.#dirty.add(id)
	}

	retire(work: () => Promise<void>): void {
		this.#retired.push(work)
		this.#shared.schedule(this)
	}

	/** Evaluates what is marked, in dependency order, until nothing is. */
	settle(): void {
		if (this.#plan !== undefined) return
		while (this.#dirty.size > 0) {
			const marked = [...this.#dirty].sort((a, b) => (this.#rank.get(a) ?? 0) - (this.#rank.get(b) ?? 0))
			// Evaluating one may mark others: those are further on and come in their turn.
			for (let at = 0; at < marked.length; at++) {
				const id = marked[at]!
				if (!this.#dirty.delete(id)) continue
				const before = this.#dirty.size
				const node = this.#nodes.get(id)
				node?.evaluate(scopeFor(node.needs, this.#nodes, this.#scope, (one) => one.exports))
				if (this.#dirty.size > before) break
			}
		}
		for (const work of this.#retired.splice(0))
			this.track(
				work().catch((reason: unknown) => {
					this.#shared.logger.error('failed to stop component', { err: messageOf(reason) })
				}),
			)
	}
}

async function stopNodes(
	ids: readonly string[],
	edges: ReadonlyMap<string, ReadonlySet<string>>,
	nodes: ReadonlyMap<string, Node>,
): Promise<void> {
	for (const level of [...levels(ids, edges)].reverse())
		await Promise.all(level.map((id) => nodes.get(id)!.stop()))
}

function invert(edges: ReadonlyMap<string, ReadonlySet<string>>): Map<string, string[]> {
	const out = new Map<string, string[]>()
	for (const [from, needs] of edges)
		for (const to of needs) {
			const list = out.get(to)
			if (list === undefined) out.set(to, [from])
			else list.push(from)
		}
	return out
}

/** The exports of the nodes referred to, as nested objects: `otelcol.exporter.otlp.default`. */
function scopeFor(
	needs: ReadonlySet<string>,
	nodes: ReadonlyMap<string, Node>,
	base: Scope,
	read: (node: Node) => Value | undefined,
): Scope {
	if (needs.size === 0) return base
	const names = new Map<string, Value>()
	for (const id of needs) {
		const node = nodes.get(id)
		if (node === undefined) continue
		insert(names, id.split('.'), read(node) ?? new ObjectValue(new Map()))
	}
	return createScope(names, base)
}

function insert(into: Map<string, Value>, path: readonly string[], value: Value): void {
	const [first = '', ...rest] = path
	if (rest.length === 0) {
		into.set(first, value)
		return
	}
	const present = into.get(first)
	const fields = new Map(present?.type === 'object' ? present.fields : [])
	insert(fields, rest, value)
	into.set(first, new ObjectValue(fields))
}

/** Turns blocks into nodes and edges, reusing the nodes that run already. Problems are told in Alloy's order and words. */
class PlanBuilder {
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
		this.#customs.imports.set(block.label, this.#nodes.get(id) as ImportNode)
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
