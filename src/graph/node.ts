import { DiagnosticError } from '../eval/evaluate.ts'
import type { Scope } from '../eval/scope.ts'
import type { Value } from '../eval/values.ts'
import type { Block } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import type { ActiveSpan } from '../telemetry/tracer.ts'
import { HealthBook } from './health.ts'
import { tick } from './shared.ts'

/** Problems that stop a configuration from being taken over. */
export class LoadError extends Error {
	readonly diagnostics: readonly Diagnostic[]
	constructor(diagnostics: readonly Diagnostic[]) {
		super(diagnostics.map((one) => one.message).join('; '))
		this.name = 'LoadError'
		this.diagnostics = diagnostics
	}
}

/**
 * One block of a module while it runs. A new configuration comes in two steps, so that it can still be refused as a whole:
 * `prepare` evaluates the new block and builds what is new without touching what runs; then either `commit` puts it in
 * force or `rollback` forgets it. Between configurations `evaluate` follows changes of what the block refers to.
 */
export abstract class Node {
	readonly id: string
	readonly health = new HealthBook()
	/** The block in force. */
	block: Block
	/** Ids of the nodes it refers to. */
	needs: ReadonlySet<string> = new Set()
	/** Of the evaluation that goes on, when that is traced: what it leads to belongs to it. */
	span: ActiveSpan | undefined
	/** Whether it has been committed. */
	live = false
	#exports: Value | undefined
	exportsChangedAt = 0
	evaluatedAt = 0

	constructor(id: string, block: Block) {
		this.id = id
		this.block = block
	}

	get exports(): Value | undefined {
		return this.#exports
	}

	setExports(value: Value | undefined): void {
		this.#exports = value
		this.exportsChangedAt = tick()
	}

	/** What nodes that are prepared together with this one see: its exports to be. */
	get preview(): Value | undefined {
		return this.#exports
	}

	/** When `prepare` last began. What changes after that, while the configuration is not in force yet, came too late for it. */
	preparedAt = 0

	/**
	 * Evaluates `block` in `scope`; throws a `LoadError` when the configuration cannot be taken over. The running block is not
	 * touched and goes on being evaluated meanwhile. May be called again before `commit`.
	 */
	abstract prepare(block: Block, scope: Scope): Promise<void>
	/** Puts what was prepared in force. */
	abstract commit(): Promise<void>
	abstract rollback(): Promise<void>
	/** Follows a change of what it refers to. Never throws: what is wrong is its health. */
	abstract evaluate(scope: Scope): void
	/** Lets data flow; everything it refers to has started. */
	async start(): Promise<void> {}
	abstract stop(): Promise<void>
}

/** An error with advice that goes beyond Alloy's text. */
export class AdvisedError extends Error {
	readonly help: readonly string[]
	constructor(message: string, help: readonly string[]) {
		super(message)
		this.help = help
	}
}

/** `reason` as diagnostics: with its own place, or as `prefix` over the whole block. */
export function loadError(reason: unknown, block: Block, prefix: string): LoadError {
	if (reason instanceof LoadError) return reason
	if (reason instanceof DiagnosticError) return new LoadError([reason.diagnostic])
	const told = blockDiagnostic(block, `${prefix}${messageOf(reason)}`)
	return new LoadError([reason instanceof AdvisedError ? { ...told, help: reason.help } : told])
}

export const messageOf = (reason: unknown): string =>
	reason instanceof Error ? reason.message : String(reason)

export const blockDiagnostic = (block: Block, message: string): Diagnostic => ({
	severity: 'error',
	start: block.source.position(block.start),
	end: block.source.position(block.end),
	message,
})

/** Over the first `length` bytes of a block: its name, mostly. */
export const nameDiagnostic = (block: Block, length: number, message: string): Diagnostic => {
	const start = block.source.position(block.start)
	return {
		severity: 'error',
		start,
		end: { ...start, offset: start.offset + length - 1, column: start.column + length - 1 },
		message,
	}
}

export const blockName = (block: Block): string => block.name.join('.')

export const blockId = (block: Block): string =>
	block.label === '' ? blockName(block) : `${blockName(block)}.${block.label}`
