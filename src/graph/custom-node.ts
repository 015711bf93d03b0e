import { statementError } from '../eval/decode.ts'
import { deepEqual } from '../eval/equal.ts'
import { DiagnosticError, Evaluator, UnknownSignal } from '../eval/evaluate.ts'
import type { Scope } from '../eval/scope.ts'
import { UnknownValue, type Value } from '../eval/values.ts'
import type { Block, Expr } from '../syntax/ast.ts'
import { formatDiagnostic } from '../syntax/diag.ts'
import type { ActiveSpan } from '../telemetry/tracer.ts'
import type { ModuleRef } from './component-node.ts'
import type { CustomScope, Declare } from './customs.ts'
import { Module } from './module.ts'
import { AdvisedError, LoadError, loadError, messageOf, Node } from './node.ts'
import type { ModuleInput } from './plan.ts'
import { type Shared, tick } from './shared.ts'

/** An instance of a `declare`: a module of its own. */
export class CustomNode extends Node {
	readonly module: Module
	readonly #shared: Shared
	readonly #parent: ModuleRef
	/** The names in force, and those of the configuration that is being prepared. */
	#customs: CustomScope | undefined
	#offered: CustomScope | undefined
	#declare: Declare | undefined
	#args: ReadonlyMap<string, Value> = new Map()
	#started = false
	/** Of the modules that its declare can see, when it was last read. */
	#revision = 0
	/** From `prepare` to `commit` or `rollback`: its module may not be read anew in between. */
	#open = false
	#missed = false
	#reloading: Promise<void> = Promise.resolve()
	#pending:
		| { readonly block: Block; readonly declare: Declare; readonly args: ReadonlyMap<string, Value> }
		| undefined

	constructor(id: string, block: Block, shared: Shared, parent: ModuleRef) {
		super(id, block)
		this.#shared = shared
		this.#parent = parent
		this.module = new Module(parent.id === '' ? id : `${parent.id}/${id}`, shared, () => this.#publish())
	}

	get args(): ReadonlyMap<string, Value> {
		return this.#args
	}

	/** The custom components that the next configuration offers. */
	offer(customs: CustomScope): void {
		this.#offered = customs
	}

	override get preview(): Value | undefined {
		return this.#pending === undefined ? this.exports : this.module.preview
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.#open = true
		await this.#reloading
		this.preparedAt = tick()
		try {
			const args = readArguments(block, scope)
			if (this.#shared.dry && this.#offered!.maybe(block.name)) {
				this.setExports(new UnknownValue('any'))
				return
			}
			const declare = findDeclare(this.#offered!, block)
			await this.module.prepare(moduleInput(declare, args), this.span)
			this.#pending = { block, declare, args }
		} catch (reason) {
			throw loadError(reason, block, 'Failed to build component: ')
		}
	}

	async commit(): Promise<void> {
		const pending = this.#pending
		this.live = true
		this.#open = false
		this.#missed = false
		if (pending === undefined) return
		this.block = pending.block
		this.evaluatedAt = this.preparedAt
		this.#declare = pending.declare
		this.#revision = pending.declare.scope.revision
		this.#args = pending.args
		this.#customs = this.#offered
		this.#pending = undefined
		await this.module.commit()
		this.#publish()
		this.health.evaluated('healthy', 'component evaluated')
	}

	#publish(): void {
		const values = this.module.values()
		if (this.exports !== undefined && deepEqual(values, this.exports)) return
		this.setExports(values)
		if (this.live) this.#parent.exportsChanged(this)
	}

	async rollback(): Promise<void> {
		this.#pending = undefined
		this.#open = false
		await this.module.rollback()
		if (!this.#missed) return
		this.#missed = false
		this.#parent.again(this)
	}

	evaluate(scope: Scope): void {
		this.evaluatedAt = tick()
		try {
			const args = readArguments(this.block, scope)
			const declare = findDeclare(this.#customs!, this.block)
			if (declare.block !== this.#declare?.block || declare.scope.revision !== this.#revision) {
				if (this.#open) {
					this.#missed = true
					return
				}
				const { span } = this
				this.#reloading = this.#reloading.then(() => this.#reload(declare, args, span))
				this.#parent.track(this.#reloading)
			} else {
				this.#args = args
				this.module.setArguments(args)
				this.health.evaluated('healthy', 'component evaluated')
			}
		} catch (reason) {
			this.#failed(reason)
		}
	}

	/** The module behind it was imported anew. */
	async #reload(
		declare: Declare,
		args: ReadonlyMap<string, Value>,
		span: ActiveSpan | undefined,
	): Promise<void> {
		try {
			await this.module.prepare(moduleInput(declare, args), span)
			await this.module.commit(span)
			this.#declare = declare
			this.#revision = declare.scope.revision
			this.#args = args
			this.#publish()
			this.health.evaluated('healthy', 'component evaluated')
		} catch (reason) {
			this.#failed(reason)
		}
		this.#shared.changed({ kind: 'health', module: this.#parent.id, id: this.id })
	}

	#failed(reason: unknown): void {
		const text =
			reason instanceof LoadError ? reason.diagnostics.map(formatDiagnostic).join('; ') : messageOf(reason)
		this.health.evaluated('unhealthy', `component evaluation failed: ${text}`)
		this.#shared.logger.error('failed to evaluate config', { node: this.id, err: text })
	}

	override async start(): Promise<void> {
		if (this.#started) return
		this.#started = true
		await this.module.start()
		this.health.running('healthy', 'started custom component')
	}

	async stop(): Promise<void> {
		await this.module.stop()
		this.health.running('exited', 'custom component shut down cleanly')
	}
}

/** The body of an instance: attributes only, each the argument of that name. */
function readArguments(block: Block, scope: Scope): ReadonlyMap<string, Value> {
	const evaluator = new Evaluator(block.source, scope)
	const out = new Map<string, Value>()
	for (const statement of block.body) {
		if (statement.kind === 'block')
			throw new DiagnosticError(statementError(statement, 'nested blocks not supported here'))
		out.set(
			statement.name.name,
			evaluator.located(() => evaluateOrUnknown(evaluator, statement.value)),
		)
	}
	return out
}

function evaluateOrUnknown(evaluator: Evaluator, expr: Expr): Value {
	try {
		return evaluator.evaluate(expr)
	} catch (reason) {
		if (reason instanceof UnknownSignal) return new UnknownValue('any')
		throw reason
	}
}

function findDeclare(customs: CustomScope, block: Block): Declare {
	const found = customs.find(block.name)
	if (found !== undefined) return found
	const namespace = block.name.slice(0, -1).join('.')
	const problem = customs.problemOf(block.name)
	throw new AdvisedError(
		`loading custom component controller: custom component config not found in the registry, namespace: "${namespace}", componentName: "${block.name.at(-1)}"`,
		problem === undefined ? [] : [`its module could not be read: ${problem}`],
	)
}

export function moduleInput(declare: Declare, args: ReadonlyMap<string, Value>, outer?: Scope): ModuleInput {
	return {
		blocks: declare.block.body.filter((statement) => statement.kind === 'block'),
		attributes: declare.block.body.filter((statement) => statement.kind === 'attribute'),
		customs: declare.scope,
		modulePath: declare.scope.modulePath,
		args,
		outer,
	}
}
