import { formatDuration } from '../eval/duration.ts'
import { createScope, type Scope } from '../eval/scope.ts'
import { ObjectValue, stringValue, type Value } from '../eval/values.ts'
import { type Diagnostic, hasErrors } from '../syntax/diag.ts'
import type { LogFields } from '../telemetry/log.ts'
import type { ActiveSpan } from '../telemetry/tracer.ts'
import type { ModuleRef } from './component-node.ts'
import type { CustomScope } from './customs.ts'
import { invert, levels } from './dag.ts'
import { LoadError, messageOf, type Node } from './node.ts'
import { changedSince, evaluationSpan } from './node-evaluation.ts'
import { stopNodes } from './node-order.ts'
import { scopeFor } from './node-scope.ts'
import { type ModuleInput, type Plan, PlanBuilder } from './plan.ts'
import { PlanPreparation } from './plan-preparation.ts'
import type { Shared } from './shared.ts'
import { ArgumentNode, ExportNode, type Given } from './value-nodes.ts'

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
	/** Between two configurations nothing is evaluated; while one is only being prepared, what runs goes on. */
	#committing = false
	#args: ReadonlyMap<string, Value> | undefined
	#scope: Scope
	readonly #dirty = new Set<string>()
	/** Whose new exports made them so. */
	readonly #originators = new Set<string>()
	/** When the oldest change that nobody has followed yet came. */
	#dirtySince: number | undefined
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

	/** The values of its `export` blocks. */
	values(): Value {
		return exportsOf(this.#nodes, (node) => node.exports)
	}

	/** The values of the `export` blocks of the configuration that is being prepared. */
	get preview(): Value {
		return exportsOf(this.#plan?.nodes ?? this.#nodes, (node) => node.preview)
	}

	/** Evaluates a new configuration and builds what is new. Throws a `LoadError` after taking all of it back. */
	async prepare(input: ModuleInput, cause?: ActiveSpan): Promise<void> {
		const span = cause?.child('GraphEvaluate')
		span?.set('controller_id', this.id)
		try {
			await this.#prepare(input, span)
			span?.end()
		} catch (reason) {
			span?.end(messageOf(reason))
			throw reason
		}
	}

	async #prepare(input: ModuleInput, span: ActiveSpan | undefined): Promise<void> {
		const { logger, metrics } = this.#shared
		const builder = new PlanBuilder(this, this.#shared, input, this.#nodes)
		const plan = builder.build()
		this.#plan = plan
		const scope = this.#baseScope(input, plan.customs)
		const preparation = new PlanPreparation(plan, builder, scope, this.#controller, this.#shared)
		logger.info('starting complete graph evaluation', this.#controller)
		metrics.evaluating(true)
		const started = performance.now()
		let problems: ReadonlyMap<string, readonly Diagnostic[]>
		try {
			problems = await preparation.run(span)
		} finally {
			metrics.evaluating(false)
		}
		const duration = formatDuration(performance.now() - started)
		logger.info('finished complete graph evaluation', { ...this.#controller, duration })
		const diagnostics = [...builder.warnings, ...plan.order.flatMap((id) => problems.get(id) ?? [])]
		if (!hasErrors(diagnostics)) return
		await this.rollback()
		throw new LoadError(diagnostics)
	}

	get #controller(): LogFields {
		const at = this.id.lastIndexOf('/')
		return { controller_path: `/${this.id.slice(0, Math.max(at, 0))}`, controller_id: this.id.slice(at + 1) }
	}

	#baseScope(input: ModuleInput, customs: CustomScope): Scope {
		const own = new Map<string, Value>([['module_path', stringValue(customs.modulePath)]])
		return createScope(own, input.outer ?? this.#shared.stdlib)
	}

	/** Values for argument nodes. */
	readonly given: Given = (which) =>
		(which === 'prepared' ? this.#plan?.input.args : this.#args) ?? new Map<string, Value>()

	async rollback(): Promise<void> {
		const plan = this.#plan
		this.#plan = undefined
		for (const node of plan?.nodes.values() ?? []) await node.rollback()
		// What changed meanwhile waited for the plan.
		this.settle()
	}

	/** Puts the plan in force: sinks first, so that what feeds them is turned over to them when they are ready. */
	async commit(cause?: ActiveSpan): Promise<ModuleChanges> {
		const span = cause?.child('GraphCommit')
		span?.set('controller_id', this.id)
		try {
			return await this.#commit()
		} finally {
			span?.end()
		}
	}

	async #commit(): Promise<ModuleChanges> {
		const plan = this.#plan
		if (plan === undefined) return { added: [], removed: [], kept: [...this.#nodes.keys()] }
		const old = this.#nodes
		const oldOrder = this.#order
		const oldEdges = this.#edges
		this.#committing = true
		this.#args = plan.input.args
		this.#scope = this.#baseScope(plan.input, plan.customs)
		this.#nodes = plan.nodes
		this.#edges = plan.edges
		this.#order = plan.order
		this.#rank = new Map(plan.order.map((id, at) => [id, at]))
		this.#dependents = invert(plan.edges)
		for (const [id, node] of plan.nodes) node.needs = plan.edges.get(id)!
		try {
			for (const id of plan.order) {
				const node = plan.nodes.get(id)!
				await node.commit()
				if (this.#started) await node.start()
			}
		} finally {
			this.#plan = undefined
			this.#committing = false
		}
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
		if (this.#dirty.size === 0) return
		this.#originators.add(node.id)
		this.#dirtySince ??= performance.now()
		this.#shared.metrics.queued(this.#dirty.size)
		this.#shared.schedule(this)
	}

	valueChanged(): void {
		this.#onValues()
	}

	again(node: Node): void {
		if (this.#nodes.get(node.id) !== node) return
		this.#dirty.add(node.id)
		this.#shared.schedule(this)
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
			if (changedSince(this.#nodes, node.needs, node.evaluatedAt)) this.#dirty.add(id)
	}

	#evaluate(node: Node, cause: ActiveSpan | undefined): void {
		const span = evaluationSpan(cause, node)
		const moment = node.health.moment()
		node.evaluate(scopeFor(node.needs, this.#nodes, this.#scope, (one) => one.exports))
		node.span = undefined
		span?.end(node.health.failedSince(moment))
	}

	retire(work: () => Promise<void>): void {
		this.#retired.push(work)
		this.#shared.schedule(this)
	}

	/** Evaluates what is marked, in dependency order, until nothing is. */
	settle(): void {
		if (this.#committing) return
		const { metrics, tracer } = this.#shared
		const span = this.#dirty.size === 0 ? undefined : tracer.root('SubmitDependantsForEvaluation')
		span?.set('controller_id', this.id)
		span?.set('originators_count', this.#originators.size)
		this.#originators.clear()
		while (this.#dirty.size > 0) {
			const marked = [...this.#dirty].sort((a, b) => (this.#rank.get(a) ?? 0) - (this.#rank.get(b) ?? 0))
			// Evaluating one may mark others: those are further on and come in their turn.
			for (let at = 0; at < marked.length; at++) {
				const id = marked[at]!
				if (!this.#dirty.delete(id)) continue
				const before = this.#dirty.size
				const node = this.#nodes.get(id)
				const started = performance.now()
				if (this.#dirtySince !== undefined) metrics.waited(started - this.#dirtySince)
				if (node !== undefined) this.#evaluate(node, span)
				metrics.evaluated(performance.now() - started)
				if (this.#dirty.size > before) break
			}
		}
		span?.end()
		if (this.#dirtySince !== undefined) metrics.queued(0)
		this.#dirtySince = undefined
		for (const work of this.#retired.splice(0))
			this.track(
				work().catch((reason: unknown) => {
					this.#shared.logger.error('failed to stop component', { err: messageOf(reason) })
				}),
			)
	}
}

function exportsOf(nodes: ReadonlyMap<string, Node>, read: (node: ExportNode) => Value | undefined): Value {
	const out = new Map<string, Value>()
	for (const node of nodes.values()) {
		if (!(node instanceof ExportNode)) continue
		const value = read(node)
		if (value !== undefined) out.set(node.block.label, value)
	}
	return new ObjectValue(out, true)
}
