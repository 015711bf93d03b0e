import { decodeBody } from '../eval/decode.ts'
import { deepEqual } from '../eval/equal.ts'
import { DiagnosticError, Evaluator } from '../eval/evaluate.ts'
import type { Scope } from '../eval/scope.ts'
import { nullValue, ObjectValue, type Value } from '../eval/values.ts'
import type { Block } from '../syntax/ast.ts'
import { formatDiagnostic } from '../syntax/diag.ts'
import type { ModuleRef } from './component-node.ts'
import { argumentBlock, exportBlock } from './config-blocks.ts'
import { blockDiagnostic, LoadError, loadError, messageOf, Node } from './node.ts'
import { type Shared, tick } from './shared.ts'

const configPrefix = 'Failed to evaluate node for config block: '

/** Errors of config blocks are told over the whole block, with the inner place in the text. */
export function configError(reason: unknown, block: Block): LoadError {
	if (reason instanceof LoadError) return reason
	const text = reason instanceof DiagnosticError ? formatDiagnostic(reason.diagnostic) : messageOf(reason)
	return new LoadError([blockDiagnostic(block, configPrefix + text)])
}

/** Decodes the arguments of a config block. */
export function decodeConfig<T>(schema: Parameters<typeof decodeBody<T>>[0], block: Block, scope: Scope): T {
	try {
		return decodeBody(schema, block.body, new Evaluator(block.source, scope))
	} catch (reason) {
		const text = reason instanceof DiagnosticError ? formatDiagnostic(reason.diagnostic) : messageOf(reason)
		throw new Error(`decoding configuration: ${text}`, { cause: reason })
	}
}

/** What the user of a module gave: for the configuration in force, or for the one that is being prepared. */
export type Given = (which: 'running' | 'prepared') => ReadonlyMap<string, Value>

/** `argument "x"` of a module: what the user of the module gave, or its default. */
export class ArgumentNode extends Node {
	readonly #given: Given
	readonly #module: ModuleRef
	#pending: { readonly block: Block; readonly value: Value } | undefined

	constructor(id: string, block: Block, given: Given, module: ModuleRef) {
		super(id, block)
		this.#given = given
		this.#module = module
	}

	override get preview(): Value | undefined {
		return this.#pending?.value ?? this.exports
	}

	#read(block: Block, scope: Scope, which: 'running' | 'prepared'): Value {
		const args = decodeConfig(argumentBlock, block, scope)
		const given = this.#given(which).get(block.label)
		if (given === undefined && !args.optional)
			throw new Error(`missing required argument "${block.label}" to module`)
		return new ObjectValue(new Map([['value', given ?? args.default]]), true)
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.preparedAt = tick()
		try {
			this.#pending = { block, value: this.#read(block, scope, 'prepared') }
		} catch (reason) {
			throw configError(reason, block)
		}
	}

	async commit(): Promise<void> {
		this.live = true
		if (this.#pending === undefined) return
		this.block = this.#pending.block
		this.evaluatedAt = this.preparedAt
		this.#set(this.#pending.value)
		this.#pending = undefined
	}

	#set(value: Value): void {
		if (deepEqual(value, this.exports)) return
		this.setExports(value)
		this.#module.exportsChanged(this)
	}

	async rollback(): Promise<void> {
		this.#pending = undefined
	}

	evaluate(scope: Scope): void {
		this.evaluatedAt = tick()
		try {
			this.#set(this.#read(this.block, scope, 'running'))
			this.health.evaluated('healthy', 'component evaluated')
		} catch (reason) {
			this.health.evaluated('unhealthy', messageOf(reason))
		}
	}

	async stop(): Promise<void> {}
}

/** `export "x"` of a module: one of the values its user sees. */
export class ExportNode extends Node {
	readonly #module: ModuleRef & { valueChanged(): void }
	#pending: { readonly block: Block; readonly value: Value } | undefined

	constructor(id: string, block: Block, module: ModuleRef & { valueChanged(): void }) {
		super(id, block)
		this.#module = module
	}

	override get preview(): Value | undefined {
		return this.#pending?.value ?? this.exports
	}

	#read(block: Block, scope: Scope): Value {
		return decodeConfig(exportBlock, block, scope).value
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.preparedAt = tick()
		try {
			this.#pending = { block, value: this.#read(block, scope) }
		} catch (reason) {
			throw configError(reason, block)
		}
	}

	async commit(): Promise<void> {
		this.live = true
		if (this.#pending === undefined) return
		this.block = this.#pending.block
		this.evaluatedAt = this.preparedAt
		this.#set(this.#pending.value)
		this.#pending = undefined
	}

	#set(value: Value): void {
		if (deepEqual(value, this.exports ?? nullValue) && this.exports !== undefined) return
		this.setExports(value)
		this.#module.valueChanged()
	}

	async rollback(): Promise<void> {
		this.#pending = undefined
	}

	evaluate(scope: Scope): void {
		this.evaluatedAt = tick()
		try {
			this.#set(this.#read(this.block, scope))
			this.health.evaluated('healthy', 'component evaluated')
		} catch (reason) {
			this.health.evaluated('unhealthy', messageOf(reason))
		}
	}

	async stop(): Promise<void> {}
}

/** `logging`, `tracing`, `http`, `livedebugging`: arguments of Vör itself. */
export class ServiceNode extends Node {
	readonly #schema: Parameters<typeof decodeBody<unknown>>[0]
	readonly #shared: Shared
	/** Whether errors are told over the whole block, as Alloy does for `logging` and `tracing`. */
	readonly #wrapped: boolean
	#args: unknown
	#pending: { readonly block: Block; readonly args: unknown } | undefined

	constructor(
		id: string,
		block: Block,
		schema: Parameters<typeof decodeBody<unknown>>[0],
		wrapped: boolean,
		shared: Shared,
	) {
		super(id, block)
		this.#schema = schema
		this.#wrapped = wrapped
		this.#shared = shared
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.preparedAt = tick()
		try {
			const args = this.#wrapped
				? decodeConfig(this.#schema, block, scope)
				: decodeBody(this.#schema, block.body, new Evaluator(block.source, scope))
			this.#pending = { block, args }
		} catch (reason) {
			throw this.#wrapped
				? configError(reason, block)
				: loadError(reason, block, 'Failed to evaluate service: decoding configuration: ')
		}
	}

	async commit(): Promise<void> {
		this.live = true
		const pending = this.#pending
		this.#pending = undefined
		if (pending === undefined) return
		this.block = pending.block
		this.evaluatedAt = this.preparedAt
		this.#configure(pending.args)
	}

	#configure(args: unknown): void {
		if (deepEqual(args, this.#args)) return
		this.#args = args
		this.#shared.configure(this.id, args)
	}

	async rollback(): Promise<void> {
		this.#pending = undefined
	}

	evaluate(scope: Scope): void {
		this.evaluatedAt = tick()
		try {
			this.#configure(decodeBody(this.#schema, this.block.body, new Evaluator(this.block.source, scope)))
		} catch (reason) {
			this.#shared.logger.error('failed to evaluate config', { node: this.id, err: messageOf(reason) })
		}
	}

	/** The block was taken out: its defaults hold again. */
	async stop(): Promise<void> {
		if (!this.#shared.stopping) this.#shared.configure(this.id, this.#schema.defaults())
	}
}
