import type { ArgsSchema } from '../eval/args.ts'
import type { Scope } from '../eval/scope.ts'
import { deprecatedNames, experimentalNames } from '../eval/stdlib/index.ts'
import { typecheckBlock } from '../eval/typecheck.ts'
import type { Block } from '../syntax/ast.ts'
import { type Diagnostic, formatPosition } from '../syntax/diag.ts'
import { nearest } from './advice.ts'
import type { Stability } from './component.ts'
import { configBlocks, foreachStability, rootConfigNames, serviceBlocks } from './config-blocks.ts'
import { findCycles } from './dag.ts'
import { blockDiagnostic, blockId, blockName, nameDiagnostic } from './node.ts'
import type { ModuleInput } from './plan.ts'
import { lookUp, type Registry } from './registry.ts'
import { stabilityProblem } from './stability.ts'
import { resolveTraversal, traversalName, traversalsOfBody } from './traversals.ts'

/** What a check without running anything needs to know. */
export interface StaticContext {
	readonly registry: Registry
	readonly stability: Stability
	readonly stdlib: Scope
}

/**
 * Alloy's `validate`: names, labels, repetitions, references, cycles, and the types of literals, in its order and words.
 * Nothing is evaluated, and everything is told, not only the first.
 */
export function checkStatically(input: ModuleInput, context: StaticContext): readonly Diagnostic[] {
	const attributes = input.attributes.map(
		({ name, source }): Diagnostic => ({
			severity: 'error',
			start: source.position(name.start),
			end: source.position(name.end),
			message: `unrecognized attribute ${name.name}`,
		}),
	)
	if (attributes.length > 0) return attributes
	return new Level(context, 'root', undefined).check(input.blocks)
}

interface Entry {
	/** Unique in its level: a repeated block gets a suffix, so that it can still be checked. */
	readonly id: string
	readonly block: Block
	readonly problems: Diagnostic[]
	readonly schema?: ArgsSchema<unknown>
	readonly component?: boolean
	/** The level inside a declare or a template. */
	readonly inner?: { readonly level: Level; readonly blocks: readonly Block[] }
}

class Level {
	readonly #context: StaticContext
	readonly #kind: 'root' | 'module' | 'foreach'
	readonly #outer: Level | undefined
	readonly #customs = new Set<string>()
	readonly #entries: Entry[] = []

	constructor(context: StaticContext, kind: 'root' | 'module' | 'foreach', outer: Level | undefined) {
		this.#context = context
		this.#kind = kind
		this.#outer = outer
	}

	check(blocks: readonly Block[]): readonly Diagnostic[] {
		this.#collect(blocks)
		return this.#judge()
	}

	#hasCustom(name: string): boolean {
		if (this.#customs.has(name)) return true
		return this.#outer === undefined ? false : this.#outer.#hasCustom(name)
	}

	#collect(blocks: readonly Block[]): void {
		const groups = {
			declare: [] as Block[],
			config: [] as Block[],
			component: [] as Block[],
			service: [] as Block[],
		}
		for (const block of blocks) {
			const name = blockName(block)
			if (name === 'declare') groups.declare.push(block)
			else if (configBlocks.has(name) || rootConfigNames.has(name)) groups.config.push(block)
			else groups[serviceBlocks.has(blockId(block)) ? 'service' : 'component'].push(block)
		}
		this.#each(groups.declare, (block, entry) => this.#declare(block, entry))
		this.#each(groups.config, (block, entry, repeated) => this.#config(block, entry, repeated))
		this.#each(groups.component, (block, entry) => this.#component(block, entry))
		this.#each(groups.service, (block, entry) => this.#service(block, entry))
	}

	/** Hands each block on with its entry so far; `problems` is filled in Alloy's order by `add`. */
	#each(
		blocks: readonly Block[],
		add: (
			block: Block,
			base: { id: string; block: Block; repeatedProblem: Diagnostic | undefined },
			repeated: boolean,
		) => void,
	): void {
		const seen = new Map<string, Block>()
		blocks.forEach((block, index) => {
			const id = blockId(block)
			const first = seen.get(id)
			if (first === undefined) {
				seen.set(id, block)
				add(block, { id, block, repeatedProblem: undefined }, false)
				return
			}
			const at = formatPosition(first.source.position(first.start))
			const problem = nameDiagnostic(block, id.length, `block ${id} already declared at ${at}`)
			add(block, { id: `${id}-${index}`, block, repeatedProblem: problem }, true)
		})
	}

	#declare(block: Block, base: Base): void {
		const problems: Diagnostic[] = []
		if (block.label === '')
			problems.push(nameDiagnostic(block, 'declare'.length, 'declare block must have a label'))
		else this.#customs.add(block.label)
		if (base.repeatedProblem !== undefined) problems.push(base.repeatedProblem)
		const level = new Level(this.#context, 'module', this)
		this.#entries.push({
			id: base.id,
			block,
			problems,
			inner: { level, blocks: innerBlocks(block, problems) },
		})
	}

	#config(block: Block, base: Base, repeated: boolean): void {
		const name = blockName(block)
		const problems: Diagnostic[] = []
		if (base.repeatedProblem !== undefined) problems.push(base.repeatedProblem)
		else if (block.name[0] === 'import' && !repeated) this.#customs.add(block.label)
		const labelled = !rootConfigNames.has(name)
		if (labelled && block.label === '')
			problems.push(nameDiagnostic(block, name.length, `${name} block must have a label`))
		if (name === 'foreach') {
			this.#foreach(block, base, problems)
			return
		}
		if (!labelled) this.#refuseInside(block, problems)
		if ((name === 'argument' || name === 'export') && this.#kind === 'root')
			problems.push(blockDiagnostic(block, `${name} blocks only allowed inside a module`))
		const schema = configBlocks.get(name) ?? serviceBlocks.get(name)
		this.#entries.push({ id: base.id, block, problems, ...(schema === undefined ? {} : { schema }) })
	}

	#foreach(block: Block, base: Base, problems: Diagnostic[]): void {
		const tooNew = stabilityProblem('foreach block "foreach"', foreachStability, this.#context.stability)
		if (tooNew !== undefined) problems.push(nameDiagnostic(block, 'foreach'.length, tooNew))
		const templates = block.body.filter((one) => one.kind === 'block' && blockName(one) === 'template')
		const template = templates.at(-1)
		const bare: Block = { ...block, body: block.body.filter((one) => !templates.includes(one)) }
		const schema = configBlocks.get('foreach')!
		if (template?.kind !== 'block') {
			problems.push(blockDiagnostic(block, 'missing required block "template"'))
			this.#entries.push({ id: base.id, block: bare, problems, schema })
			return
		}
		const level = new Level(this.#context, 'foreach', this)
		this.#entries.push({
			id: base.id,
			block: bare,
			problems,
			schema,
			inner: { level, blocks: innerBlocks(template, problems) },
		})
	}

	#component(block: Block, base: Base): void {
		const name = blockName(block)
		const problems: Diagnostic[] = []
		const singleton = this.#context.registry.get(name)?.singleton === true
		if (block.label === '' && !singleton)
			problems.push(nameDiagnostic(block, name.length, `component "${name}" must have a label`))
		if (base.repeatedProblem !== undefined) problems.push(base.repeatedProblem)
		this.#entries.push({ id: base.id, block, problems, component: true })
	}

	#service(block: Block, base: Base): void {
		const problems: Diagnostic[] = []
		if (base.repeatedProblem !== undefined) problems.push(base.repeatedProblem)
		this.#refuseInside(block, problems)
		this.#entries.push({ id: base.id, block, problems, schema: serviceBlocks.get(blockId(block))! })
	}

	#refuseInside(block: Block, problems: Diagnostic[]): void {
		if (this.#kind === 'root') return
		const id = blockId(block)
		const inside = this.#inModule ? 'module' : 'foreach'
		problems.push(nameDiagnostic(block, id.length, `${id} not allowed in ${inside}`))
	}

	get #inModule(): boolean {
		if (this.#kind === 'module') return true
		return this.#outer === undefined ? false : this.#outer.#inModule
	}

	#judge(): readonly Diagnostic[] {
		const out: Diagnostic[] = []
		const byId = new Map(this.#entries.map((entry) => [entry.id, entry]))
		const edges = new Map<string, Set<string>>()
		for (const entry of this.#entries) {
			out.push(...entry.problems)
			if (entry.component === true) this.#judgeComponent(entry.block, out)
			else if (entry.schema !== undefined) out.push(...typecheckBlock(entry.block, entry.schema))
			const needs = new Set<string>()
			edges.set(entry.id, needs)
			if (entry.inner === undefined || entry.schema !== undefined) this.#references(entry, byId, needs, out)
			if (entry.inner !== undefined) out.push(...entry.inner.level.check(entry.inner.blocks))
		}
		this.#cycles(byId, edges, out)
		return out
	}

	#judgeComponent(block: Block, out: Diagnostic[]): void {
		if (this.#hasCustom(block.name[0]!)) return
		const name = blockName(block)
		const found = lookUp(this.#context.registry, name, this.#context.stability)
		if ('problem' in found) out.push(nameDiagnostic(block, name.length, found.problem))
		else out.push(...typecheckBlock(block, found.definition.args))
	}

	#references(entry: Entry, byId: ReadonlyMap<string, Entry>, needs: Set<string>, out: Diagnostic[]): void {
		// A template may use what stands around it and its variable; neither is known here.
		if (this.#kind === 'foreach') return
		for (const traversal of traversalsOfBody(entry.block.body)) {
			const first = traversal.parts[0]!
			const name = traversalName(traversal)
			const tell = (severity: Diagnostic['severity'], end: number, message: string, help?: string): void =>
				void out.push({
					severity,
					start: traversal.source.position(first.start),
					end: traversal.source.position(end),
					message,
					...(help === undefined ? {} : { help: [help] }),
				})
			const known = this.#context.stdlib.lookup(first.name) !== undefined
			const target = resolveTraversal(traversal, (id) => byId.has(id))
			if (target !== undefined) {
				if (known) tell('warning', first.end, 'a component is shadowing an existing stdlib name')
				needs.add(target)
			} else if (!known && first.name !== 'module_path')
				tell(
					'error',
					traversal.parts.at(-1)!.end,
					`component "${name}" does not exist or is out of scope`,
					likeliest(name, [...byId.keys()]),
				)
			else if (deprecatedNames.has(first.name))
				tell(
					'warning',
					first.end,
					'this stdlib function is deprecated; please refer to the documentation for updated usage and alternatives',
				)
			else if (experimentalNames.has(name)) {
				const problem = stabilityProblem(name, 'experimental', this.#context.stability)
				if (problem !== undefined) tell('error', traversal.parts.at(-1)!.end, problem)
			}
		}
	}

	#cycles(
		byId: ReadonlyMap<string, Entry>,
		edges: ReadonlyMap<string, ReadonlySet<string>>,
		out: Diagnostic[],
	): void {
		const head = (id: string, message: string, help: readonly string[] = []): void => {
			const { block } = byId.get(id)!
			out.push({
				severity: 'error',
				start: block.source.position(block.start),
				end: block.source.position(block.lcurly),
				message,
				help,
			})
		}
		const ids = [...byId.keys()]
		for (const group of findCycles(ids, edges)
			.map((one) => [...one].sort())
			.sort((a, b) => ids.indexOf(a[0]!) - ids.indexOf(b[0]!)))
			for (const id of group)
				head(id, `cycle detected: ${group.join(', ')}`, [cyclePath(id, edges, new Set(group))])
		for (const id of ids) if (edges.get(id)?.has(id)) head(id, 'cannot reference self')
	}
}

/** The way from a node back to itself. */
function cyclePath(
	from: string,
	edges: ReadonlyMap<string, ReadonlySet<string>>,
	group: ReadonlySet<string>,
): string {
	const cameFrom = new Map<string, string>()
	const pending = [from]
	for (let id = pending.shift(); id !== undefined; id = pending.shift())
		for (const to of edges.get(id) ?? []) {
			if (to === from) {
				const path = [from]
				for (let at: string | undefined = id; at !== undefined && at !== from; at = cameFrom.get(at))
					path.unshift(at)
				return [from, ...path].join(' → ')
			}
			if (!group.has(to) || cameFrom.has(to)) continue
			cameFrom.set(to, id)
			pending.push(to)
		}
	return from
}

/** The block that a reference probably means: the same number of parts, few letters apart. */
function likeliest(reference: string, ids: readonly string[]): string | undefined {
	const parts = reference.split('.')
	for (let size = parts.length; size > 0; size--) {
		const near = nearest(
			parts.slice(0, size).join('.'),
			ids.filter((id) => id.split('.').length === size),
		)
		if (near !== undefined) return `did you mean ${[near, ...parts.slice(size)].join('.')}?`
	}
	return undefined
}

interface Base {
	readonly id: string
	readonly repeatedProblem: Diagnostic | undefined
}

/** The blocks of a module's body; anything else is noted. */
function innerBlocks(block: Block, problems: Diagnostic[]): readonly Block[] {
	const out: Block[] = []
	for (const statement of block.body) {
		if (statement.kind === 'block') out.push(statement)
		else
			problems.push({
				severity: 'error',
				start: statement.source.position(statement.start),
				end: statement.source.position(statement.end),
				message: 'unsupported statement type *ast.AttributeStmt',
			})
	}
	return out
}
