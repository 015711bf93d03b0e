import { join } from 'node:path'
import { decodeBody } from '../eval/decode.ts'
import { deepEqual } from '../eval/equal.ts'
import { DiagnosticError, Evaluator } from '../eval/evaluate.ts'
import type { Scope } from '../eval/scope.ts'
import { ObjectValue, type Value } from '../eval/values.ts'
import { LiveChannel } from '../flow/live.ts'
import type { Block } from '../syntax/ast.ts'
import { formatDiagnostic } from '../syntax/diag.ts'
import type { AnyDefinition, Component } from './component.ts'
import { describeExports } from './describe-exports.ts'
import type { HealthState } from './health.ts'
import { loadError, messageOf, Node } from './node.ts'
import { type Shared, tick } from './shared.ts'

interface Pending {
	readonly block: Block
	readonly args: unknown
}

/** A built-in component. */
export class ComponentNode extends Node {
	readonly definition: AnyDefinition
	/** What it passes on, for whoever looks; outlives its instances. */
	readonly channel = new LiveChannel()
	readonly #shared: Shared
	readonly #module: ModuleRef
	#instance: Component<unknown> | undefined
	#args: unknown
	#pending: Pending | undefined
	#started = false
	#applying = false
	#queued: { readonly args: unknown } | undefined
	/** Reports of an instance that was replaced are not listened to. */
	#generation = 0

	constructor(id: string, block: Block, definition: AnyDefinition, shared: Shared, module: ModuleRef) {
		super(id, block)
		this.definition = definition
		this.#shared = shared
		this.#module = module
	}

	get args(): unknown {
		return this.#args
	}

	debugInfo(): unknown {
		return this.#instance?.debugInfo?.()
	}

	#decode(block: Block, scope: Scope): unknown {
		try {
			return decodeBody(this.definition.args, block.body, new Evaluator(block.source, scope))
		} catch (reason) {
			if (reason instanceof DiagnosticError && reason.diagnostic.start.line !== 0) throw reason
			const text = reason instanceof DiagnosticError ? formatDiagnostic(reason.diagnostic) : messageOf(reason)
			throw new Error(`decoding configuration: ${text}`, { cause: reason })
		}
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.preparedAt = tick()
		try {
			const args = this.#decode(block, scope)
			if (this.#shared.dry) {
				this.setExports(describeExports(this.definition, args))
				return
			}
			if (this.#instance === undefined) {
				this.#instance = this.#build(args)
				this.#args = args
			}
			this.#pending = { block, args }
		} catch (reason) {
			throw loadError(reason, block, 'Failed to build component: ')
		}
	}

	#build(args: unknown): Component<unknown> {
		const generation = ++this.#generation
		const current = (): boolean => generation === this.#generation
		const meta = { component_path: this.#module.path, component_id: this.id }
		try {
			return this.definition.build(
				{
					id: this.id,
					path: this.#module.path,
					logger: this.#shared.logger.child(meta),
					dataPath: join(this.#shared.storagePath, this.#module.id, this.id),
					accounting: this.#shared.accounting,
					live: this.channel,
					onStateChange: (exports) => {
						if (current()) this.#onExports(exports as Readonly<Record<string, unknown>>)
					},
					reportHealth: (health) => {
						if (current()) this.#onHealth(health.state, health.message)
					},
				},
				args,
			)
		} catch (reason) {
			this.#generation--
			throw new Error(`building component: ${messageOf(reason)}`, { cause: reason })
		}
	}

	#onExports(exports: Readonly<Record<string, unknown>>): void {
		const fields = new Map<string, Value>()
		for (const [name, type] of Object.entries(this.definition.exports.fields))
			fields.set(name, type.encode(exports[name] ?? type.zero))
		const value = new ObjectValue(fields, true)
		if (deepEqual(value, this.exports)) return
		this.setExports(value)
		if (this.live) this.#module.exportsChanged(this)
	}

	#onHealth(state: HealthState, message: string): void {
		this.health.reported(state, message)
		this.#shared.changed({ kind: 'health', module: this.#module.id, id: this.id })
	}

	async commit(): Promise<void> {
		const pending = this.#pending
		this.#pending = undefined
		this.live = true
		if (pending === undefined) return
		this.block = pending.block
		this.evaluatedAt = this.preparedAt
		if (this.#applying || !deepEqual(pending.args, this.#args)) await this.#apply(pending.args)
		else this.health.evaluated('healthy', 'component evaluated')
	}

	async rollback(): Promise<void> {
		this.#pending = undefined
		if (this.live) return
		const instance = this.#instance
		this.#instance = undefined
		this.#generation++
		await instance?.stop()
	}

	evaluate(scope: Scope): void {
		this.evaluatedAt = tick()
		try {
			const args = this.#decode(this.block, scope)
			if (!this.#applying && deepEqual(args, this.#args))
				this.health.evaluated('healthy', 'component evaluated')
			else this.#module.track(this.#apply(args))
		} catch (reason) {
			this.#failed(reason)
		}
	}

	/**
	 * Hands new arguments to what runs; when it refuses them, the old ones stay in force. One at a time: what comes while it
	 * is being built anew waits, and only the newest of it counts.
	 */
	async #apply(args: unknown): Promise<void> {
		this.#queued = { args }
		if (this.#applying) return
		this.#applying = true
		while (this.#queued !== undefined) {
			const next: { readonly args: unknown } = this.#queued
			this.#queued = undefined
			try {
				if (this.#update(next.args) === 'restart') await this.#replace(next.args)
				this.#args = next.args
				this.health.evaluated('healthy', 'component evaluated')
			} catch (reason) {
				this.#failed(reason)
			}
		}
		this.#applying = false
		this.#shared.changed({ kind: 'health', module: this.#module.id, id: this.id })
	}

	#update(args: unknown): undefined | 'restart' {
		try {
			return this.#instance?.update(args)
		} catch (reason) {
			throw new Error(`updating component: ${messageOf(reason)}`, { cause: reason })
		}
	}

	/** The new instance is built before the old one is let go, so that a refusal costs nothing. */
	async #replace(args: unknown): Promise<void> {
		const old = this.#instance
		const next = this.#build(args)
		this.#instance = next
		if (this.#overlaps) {
			if (this.#started) await next.start?.()
			// Nobody may send to it any more when it drains.
			this.#module.retire(async () => await old?.stop())
			return
		}
		await old?.stop()
		if (this.#started) await next.start?.()
	}

	get #overlaps(): boolean {
		const { exclusive, exports } = this.definition
		return exclusive !== true && Object.values(exports.fields).some((type) => type.capsuleKind !== undefined)
	}

	#failed(reason: unknown): void {
		const message =
			reason instanceof DiagnosticError
				? `decoding configuration: ${formatDiagnostic(reason.diagnostic)}`
				: messageOf(reason)
		this.#shared.logger.error('failed to evaluate config', { node: this.id, err: message })
		this.health.evaluated('unhealthy', `component evaluation failed: ${message}`)
		this.#shared.changed({ kind: 'health', module: this.#module.id, id: this.id })
	}

	override async start(): Promise<void> {
		if (this.#started) return
		this.#started = true
		// What the component says of itself while it starts is newer.
		const moment = this.health.moment()
		try {
			await this.#instance?.start?.()
			this.health.running('healthy', 'started component', moment)
		} catch (reason) {
			this.health.running('unhealthy', messageOf(reason))
			this.#shared.logger.error('failed to start component', { node: this.id, err: messageOf(reason) })
		}
		this.#shared.changed({ kind: 'health', module: this.#module.id, id: this.id })
	}

	async stop(): Promise<void> {
		const instance = this.#instance
		this.#instance = undefined
		// A successor that is being put in its place is stopped before it has started: it does not start now.
		this.#started = false
		try {
			await instance?.stop()
			this.health.running('exited', 'component shut down cleanly')
			if (instance !== undefined && this.live)
				this.#shared.logger.info('node exited without error', {
					controller_id: this.#module.id,
					node: this.id,
				})
		} catch (reason) {
			this.health.running('exited', `component shut down with error: ${messageOf(reason)}`)
			this.#shared.logger.error('failed to stop component', { node: this.id, err: messageOf(reason) })
		}
		this.#generation++
		this.channel.close()
		if (!this.#shared.stopping) this.#shared.accounting.remove(this.#module.path, this.id)
	}
}

/** What a node asks of the module it stands in. */
export interface ModuleRef {
	readonly id: string
	readonly path: string
	exportsChanged(node: Node): void
	/** Work that goes on after `evaluate` has returned. */
	track(work: Promise<void>): void
	/** Asks for this node to be evaluated again: it could not follow a change when that came. */
	again(node: Node): void
	/** Lets something go once everything that referred to it has been turned over to its successor. */
	retire(work: () => Promise<void>): void
}
