import { formatDuration } from '../eval/duration.ts'
import type { Scope } from '../eval/scope.ts'
import { UnknownValue } from '../eval/values.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import type { LogFields } from '../telemetry/log.ts'
import type { ActiveSpan } from '../telemetry/tracer.ts'
import { ComponentNode } from './component-node.ts'
import { levels } from './dag.ts'
import { describeExports } from './describe-exports.ts'
import { ImportNode } from './import-node.ts'
import { LoadError } from './node.ts'
import { changedSince, evaluationSpan } from './node-evaluation.ts'
import { inParallel } from './node-order.ts'
import { scopeFor } from './node-scope.ts'
import type { Plan, PlanBuilder } from './plan.ts'
import type { Shared } from './shared.ts'

/** Evaluates the nodes of a plan that is not in force yet. Used once. */
export class PlanPreparation {
	readonly #plan: Plan
	readonly #builder: PlanBuilder
	/** Names visible besides the plan's nodes. */
	readonly #scope: Scope
	/** Of which module it is, for the log. */
	readonly #controller: LogFields
	readonly #shared: Shared
	readonly #problems = new Map<string, readonly Diagnostic[]>()
	readonly #failed = new Set<string>()

	constructor(plan: Plan, builder: PlanBuilder, scope: Scope, controller: LogFields, shared: Shared) {
		this.#plan = plan
		this.#builder = builder
		this.#scope = scope
		this.#controller = controller
		this.#shared = shared
	}

	/**
	 * What does not depend on each other is prepared at the same time. Fetching a module may take long and the running
	 * configuration goes on meanwhile, so what was prepared from values that have changed is prepared once more. Returns the
	 * problems of each node that has some.
	 */
	async run(span: ActiveSpan | undefined): Promise<ReadonlyMap<string, readonly Diagnostic[]>> {
		const { nodes, edges, order } = this.#plan
		for (const level of levels(order, edges)) await inParallel(level, (id) => this.#prepare(id, span))
		if (this.#shared.dry) return this.#problems
		for (const id of order) {
			const { preparedAt } = nodes.get(id)!
			if (!this.#failed.has(id) && changedSince(nodes, edges.get(id)!, preparedAt))
				await this.#prepare(id, span)
		}
		return this.#problems
	}

	async #prepare(id: string, span: ActiveSpan | undefined): Promise<void> {
		const { nodes, edges } = this.#plan
		const node = nodes.get(id)!
		const needs = edges.get(id)!
		// Of what follows from another node's failure only the cause is told.
		if (![...needs].every((need) => !this.#failed.has(need) || nodes.get(need) instanceof ImportNode)) {
			this.#failed.add(id)
			return
		}
		const started = performance.now()
		const own = evaluationSpan(span, node)
		let problem: string | undefined
		try {
			await node.prepare(
				this.#builder.blockOf(id),
				scopeFor(needs, nodes, this.#scope, (one) => one.preview),
			)
			this.#evaluated(id, started)
		} catch (reason) {
			this.#failed.add(id)
			if (!(reason instanceof LoadError)) throw reason
			this.#problems.set(id, reason.diagnostics)
			const err = reason.message.replace(/^Failed to [a-z ]+: /, '')
			problem = err
			this.#shared.logger.error('failed to evaluate config', { ...this.#controller, node: id, err })
			this.#evaluated(id, started)
			if (!this.#shared.dry) return
			// While only checking, the rest is checked as if this one were right.
			this.#failed.delete(id)
			node.setExports(
				node instanceof ComponentNode
					? describeExports(node.definition, node.definition.args.defaults())
					: new UnknownValue('any'),
			)
		} finally {
			node.span = undefined
			own?.end(problem)
		}
	}

	#evaluated(id: string, started: number): void {
		const ms = performance.now() - started
		this.#shared.metrics.evaluated(ms)
		const duration = formatDuration(ms)
		this.#shared.logger.info('finished node evaluation', { ...this.#controller, node_id: id, duration })
	}
}
