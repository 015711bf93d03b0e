import { createHash } from 'node:crypto'
import { statementError } from '../eval/decode.ts'
import { DiagnosticError } from '../eval/evaluate.ts'
import { numberText } from '../eval/number.ts'
import { createScope, type Scope } from '../eval/scope.ts'
import { formatArgument } from '../eval/stdlib/format.ts'
import { FunctionError } from '../eval/stdlib/function.ts'
import { sprintf } from '../eval/stdlib/sprintf.ts'
import { UnknownValue, type Value } from '../eval/values.ts'
import type { Block } from '../syntax/ast.ts'
import type { ActiveSpan } from '../telemetry/tracer.ts'
import type { ModuleRef } from './component-node.ts'
import { foreachBlock } from './config-blocks.ts'
import type { CustomScope } from './customs.ts'
import { Module } from './module.ts'
import { blockName, messageOf, Node } from './node.ts'
import type { ModuleInput } from './plan.ts'
import { type Shared, tick } from './shared.ts'
import { configError, decodeConfig } from './value-nodes.ts'

/** The template of a `foreach`, once for every item of its collection. */
export class ForeachNode extends Node {
	readonly #shared: Shared
	readonly #parent: ModuleRef
	/** The custom components visible to the template. */
	customs: () => CustomScope
	#children = new Map<string, Module>()
	#pending: { readonly block: Block; readonly children: Map<string, Module> } | undefined
	#started = false
	/** From `prepare` to `commit` or `rollback`: it may not be evaluated in between. */
	#open = false
	#missed = false
	#refreshing: Promise<void> = Promise.resolve()

	constructor(id: string, block: Block, shared: Shared, parent: ModuleRef, customs: () => CustomScope) {
		super(id, block)
		this.#shared = shared
		this.#parent = parent
		this.customs = customs
	}

	get modules(): ReadonlyMap<string, Module> {
		return this.#children
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.#open = true
		await this.#refreshing
		await this.#prepare(block, scope, this.span)
	}

	async #prepare(block: Block, scope: Scope, span: ActiveSpan | undefined): Promise<void> {
		this.preparedAt = tick()
		const children = new Map<string, Module>()
		this.#pending = { block, children }
		try {
			for (const [key, input] of this.#inputs(block, scope)) {
				const module = this.#children.get(key) ?? new Module(`${this.#prefix}/${key}`, this.#shared)
				children.set(key, module)
				await module.prepare(input, span)
			}
		} catch (reason) {
			throw configError(reason, block)
		}
	}

	get #prefix(): string {
		return this.#parent.id === '' ? this.id : `${this.#parent.id}/${this.id}`
	}

	#inputs(block: Block, scope: Scope): ReadonlyMap<string, ModuleInput> {
		const templates = block.body.filter((one) => one.kind === 'block' && blockName(one) === 'template')
		const template = templates[0]
		if (template?.kind !== 'block') throw new Error('missing required block "template"')
		if (templates.length > 1)
			throw new DiagnosticError(statementError(templates[1]!, 'block "template" may only be specified once'))
		const rest: Block = { ...block, body: block.body.filter((one) => !templates.includes(one)) }
		const args = decodeConfig(foreachBlock, rest, scope)
		const customs = this.customs()
		const out = new Map<string, ModuleInput>()
		// While only checking, the template is looked at once more with an item that may be anything.
		const items = this.#shared.dry ? [...args.collection, new UnknownValue('any')] : args.collection
		for (const item of items) {
			const name = itemKey(item, args.id, args.hash_string_id)
			let key = `foreach_${name}_1`
			for (let again = 2; out.has(key); again++) key = `foreach_${name}_${again}`
			out.set(key, {
				blocks: template.body.filter((one) => one.kind === 'block'),
				attributes: template.body.filter((one) => one.kind === 'attribute'),
				customs,
				modulePath: customs.modulePath,
				args: new Map(),
				outer: createScope(new Map([[args.var, item]]), scope),
			})
		}
		return out
	}

	async commit(): Promise<void> {
		this.#open = false
		this.#missed = false
		await this.#commit()
	}

	async #commit(): Promise<void> {
		const pending = this.#pending
		this.#pending = undefined
		this.live = true
		if (pending === undefined) return
		this.block = pending.block
		this.evaluatedAt = this.preparedAt
		await this.#take(pending.children)
		this.health.evaluated('healthy', 'foreach evaluated')
	}

	async #take(children: Map<string, Module>): Promise<void> {
		const old = this.#children
		this.#children = children
		for (const module of children.values()) {
			await module.commit()
			if (this.#started) await module.start()
		}
		for (const [key, module] of old) if (children.get(key) !== module) await module.stop()
	}

	async rollback(): Promise<void> {
		this.#open = false
		await this.#rollback()
		if (!this.#missed) return
		this.#missed = false
		this.#parent.again(this)
	}

	async #rollback(): Promise<void> {
		for (const module of this.#pending?.children.values() ?? []) await module.rollback()
		this.#pending = undefined
	}

	evaluate(scope: Scope): void {
		if (this.#open) {
			this.#missed = true
			return
		}
		const { span } = this
		this.#refreshing = this.#refreshing.then(() => this.#refresh(scope, span))
		this.#parent.track(this.#refreshing)
	}

	/** The collection, or something that the template uses, has changed. */
	async #refresh(scope: Scope, span: ActiveSpan | undefined): Promise<void> {
		try {
			await this.#prepare(this.block, scope, span)
			await this.#commit()
		} catch (reason) {
			await this.#rollback()
			this.health.evaluated('unhealthy', messageOf(reason))
			this.#shared.logger.error('failed to evaluate config', { node: this.id, err: messageOf(reason) })
		}
	}

	override async start(): Promise<void> {
		if (this.#started) return
		this.#started = true
		for (const module of this.#children.values()) await module.start()
		this.health.running('healthy', 'foreach node started')
	}

	async stop(): Promise<void> {
		this.#started = false
		for (const module of this.#children.values()) await module.stop()
	}
}

/** Keeps an item's module the same when others come and go. The names are Alloy's. */
function itemKey(item: Value, idField: string, hash: boolean): string {
	const value = item.type === 'object' ? (item.fields.get(idField) ?? item) : item
	switch (value.type) {
		case 'string':
			return hash ? sha256(value.text) : value.text.replace(/[^\p{L}\p{Nd}]/gu, '_')
		case 'bool':
			return String(value.data)
		case 'number':
			return value.kind === 'float' ? goText('%f', value).replaceAll('.', '_') : numberText(value)
		default:
			return sha256(goText('%#v', value))
	}
}

/** What cannot be written is known by its type: a secret is not put into a name, not even as a hash. */
function goText(pattern: string, value: Value): string {
	try {
		return sprintf(pattern, [formatArgument(value)])
	} catch (reason) {
		if (reason instanceof FunctionError) return value.type
		throw reason
	}
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
