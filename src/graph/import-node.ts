import { deepEqual } from '../eval/equal.ts'
import { createScope, type Scope } from '../eval/scope.ts'
import { stringValue } from '../eval/values.ts'
import type { Block } from '../syntax/ast.ts'
import { formatDiagnostic, hasErrors } from '../syntax/diag.ts'
import { parseFile } from '../syntax/parser.ts'
import { Source } from '../syntax/source.ts'
import type { ActiveSpan } from '../telemetry/tracer.ts'
import type { ModuleRef } from './component-node.ts'
import { CustomScope, type ImportedModule } from './customs.ts'
import { readRequest } from './import-request.ts'
import { type Fetched, type ImportRequest, UnseenModule } from './import-source.ts'
import { asPartOf, originOf } from './import-trace.ts'
import { blockId, blockName, LoadError, messageOf, Node } from './node.ts'
import { type Shared, tick } from './shared.ts'
import { configError } from './value-nodes.ts'

/** Modules that import modules that import …: this deep and no deeper. */
const maxImportDepth = 16

interface Loaded {
	readonly fetched: Fetched
	readonly declares: CustomScope
	/** Import nodes of the module itself. */
	readonly inner: readonly ImportNode[]
}

/** What came of a look: the module, or the one there was before and why it is not a newer one. */
interface Outcome {
	readonly loaded: Loaded | undefined
	readonly problem?: string | undefined
}

interface Pending extends Outcome {
	readonly block: Block
	readonly request: ImportRequest
}

/** An `import.*` block: the declares of a module from elsewhere, under its label. */
export class ImportNode extends Node implements ImportedModule {
	readonly #shared: Shared
	readonly #module: ModuleRef
	readonly #depth: number
	/** What is asked for; `#loaded` may be older when that could not be had. */
	#request: ImportRequest | undefined
	#loaded: Loaded | undefined
	#pending: Pending | undefined
	/** The view of the configuration that is being prepared: it alone sees what is pending. */
	#openView: ImportedModule | undefined
	#watch: { readonly request: ImportRequest; close(): void } | undefined
	/** Its arguments were wrong when they were last evaluated. */
	#misread = false
	#looking = false
	#lookAgain = false

	constructor(id: string, block: Block, shared: Shared, module: ModuleRef, depth = 0) {
		super(id, block)
		this.#shared = shared
		this.#module = module
		this.#depth = depth
	}

	unseen = false
	problem: string | undefined

	get declares(): CustomScope | undefined {
		return this.#loaded?.declares
	}

	/** The module as the next configuration sees it: from now on what that prepares, later what is in force. */
	offer(): ImportedModule {
		const node = this
		const open = (): Pending | undefined => (node.#openView === view ? node.#pending : undefined)
		const view: ImportedModule = {
			get declares() {
				const pending = open()
				return (pending === undefined ? node.#loaded : pending.loaded)?.declares
			},
			get unseen() {
				return node.unseen
			},
			get problem() {
				const pending = open()
				return pending === undefined ? node.problem : pending.problem
			},
			get exportsChangedAt() {
				return node.exportsChangedAt
			},
		}
		this.#openView = view
		return view
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.preparedAt = tick()
		try {
			const request = readRequest(block, scope)
			if (this.#pending !== undefined && deepEqual(this.#pending.request, request)) return
			await this.#drop(this.#pending?.loaded)
			this.#pending = undefined
			if (this.live && deepEqual(this.#request, request))
				this.#pending = { block, request, loaded: this.#loaded, problem: this.problem }
			else {
				const span = this.span?.child('FetchModule')
				this.#pending = { block, request, ...(await this.#load(request, this.live, span)) }
			}
		} catch (reason) {
			throw configError(reason, block)
		}
	}

	/** What the import nodes of the module itself report to: a change of theirs is one of this node's. */
	get #inside(): ModuleRef {
		const { id, path } = this.#module
		return {
			id,
			path,
			exportsChanged: () => {
				if (!this.live) return
				this.exportsChangedAt = tick()
				this.#module.exportsChanged(this)
			},
			track: (work) => this.#module.track(work),
			again: () => this.#module.again(this),
			retire: (work) => this.#module.retire(work),
		}
	}

	/** What the request gives. A module that cannot be parsed is no veto; one that cannot be read is, unless it ran before. */
	async #load(request: ImportRequest, keep: boolean, span: ActiveSpan | undefined): Promise<Outcome> {
		span?.set('node_id', this.id)
		if (request.kind !== 'import.string') span?.set('vor.import.origin', originOf(request))
		try {
			const outcome = await this.#fetch(asPartOf(request, span), keep)
			span?.end(outcome.problem)
			return outcome
		} catch (reason) {
			span?.end(messageOf(reason))
			throw reason
		}
	}

	async #fetch(request: ImportRequest, keep: boolean): Promise<Outcome> {
		const { fetcher, storagePath, ending } = this.#shared
		let fetched: Fetched
		try {
			fetched = await fetcher.fetch(request, storagePath, ending)
		} catch (reason) {
			if (reason instanceof UnseenModule) {
				this.unseen = true
				return { loaded: undefined }
			}
			const problem = `${prefixes[request.kind]}${messageOf(reason)}`
			if (!keep) throw new Error(problem, { cause: reason })
			return { loaded: this.#loaded, problem }
		}
		if (this.#loaded !== undefined && deepEqual(fetched, this.#loaded.fetched))
			return { loaded: this.#loaded }
		try {
			return { loaded: await this.#parse(request, fetched) }
		} catch (reason) {
			const problem =
				reason instanceof LoadError ? reason.diagnostics.map(formatDiagnostic).join('; ') : messageOf(reason)
			this.#shared.logger.error('failed to parse file on update', { node: this.id, err: problem })
			return { loaded: this.#loaded, problem }
		}
	}

	async #parse(request: ImportRequest, fetched: Fetched): Promise<Loaded> {
		if (this.#depth >= maxImportDepth)
			throw new Error(`modules import each other more than ${maxImportDepth} deep`)
		const declares = new CustomScope(fetched.modulePath)
		const inner: ImportNode[] = []
		for (const { name, text } of fetched.files) {
			// Alloy calls the text of a module by the label it is imported under.
			const label = this.block.label
			const { file, diagnostics } = parseFile(label, new Source(label, text, name))
			if (hasErrors(diagnostics)) throw new LoadError(diagnostics)
			for (const statement of file.body) {
				if (statement.kind === 'attribute')
					throw new Error('only declare and import blocks are allowed in a module')
				const kind = blockName(statement)
				if (kind === 'declare') {
					if (declares.declares.has(statement.label))
						this.#shared.logger.error('declare block redefined', { node: this.id, name: statement.label })
					else declares.declares.set(statement.label, statement)
				} else if (kind.startsWith('import.')) inner.push(this.#addInner(request, statement, declares))
				else throw new Error(`only declare and import blocks are allowed in a module, got ${kind}`)
			}
		}
		const names = new Map([['module_path', stringValue(fetched.modulePath)]])
		const scope = createScope(names, this.#shared.stdlib)
		try {
			await Promise.all(inner.map((node) => node.prepare(node.block, scope)))
		} catch (reason) {
			for (const node of inner) await node.rollback()
			throw reason
		}
		for (const node of inner) await node.commit()
		return { fetched, declares, inner }
	}

	#addInner(request: ImportRequest, block: Block, declares: CustomScope): ImportNode {
		if (declares.imports.has(block.label)) throw new Error(`import block redefined ${block.label}`)
		if (request.kind === 'import.http' && blockName(block) === 'import.file')
			throw new Error(
				`importing a module via import.http (nodeID: ${this.id}) that contains an import.file block is not supported`,
			)
		const node = new ImportNode(blockId(block), block, this.#shared, this.#inside, this.#depth + 1)
		declares.imports.set(block.label, node)
		return node
	}

	async commit(): Promise<void> {
		const pending = this.#pending
		this.#pending = undefined
		this.#openView = undefined
		this.live = true
		if (pending === undefined) return
		this.block = pending.block
		this.#request = pending.request
		this.evaluatedAt = this.preparedAt
		this.#accept(pending)
	}

	#accept({ loaded, problem }: Outcome): void {
		this.problem = problem
		if (problem === undefined) this.health.evaluated('healthy', 'module loaded')
		else this.health.evaluated('unhealthy', problem)
		this.#shared.changed({ kind: 'health', module: this.#module.id, id: this.id })
		this.#observe()
		const old = this.#loaded
		if (loaded === old) return
		this.#loaded = loaded
		// The next configuration took over what was loaded until now: it takes over the newer one too.
		if (this.#pending !== undefined && this.#pending.loaded === old)
			this.#pending = { ...this.#pending, loaded, problem }
		void this.#drop(old)
		this.exportsChangedAt = tick()
		this.#module.exportsChanged(this)
	}

	/** Lets go of a module that is not in force. */
	async #drop(loaded: Loaded | undefined): Promise<void> {
		if (loaded === this.#loaded) return
		for (const node of loaded?.inner ?? []) await node.stop()
	}

	#observe(): void {
		const request = this.#request
		if (request === this.#watch?.request) return
		this.#watch?.close()
		this.#watch = undefined
		if (request === undefined) return
		const { close } = this.#shared.fetcher.watch(request, () => void this.#look())
		this.#watch = { request, close }
	}

	/** Looks whether the module has changed; one look at a time, and one more when it was asked for meanwhile. */
	async #look(): Promise<void> {
		if (this.#looking) {
			this.#lookAgain = this.#request?.kind === 'import.file'
			return
		}
		this.#looking = true
		do {
			this.#lookAgain = false
			const request = this.#request
			if (request === undefined || !this.live) break
			await this.#follow(request, this.#shared.tracer.root('FetchModule'))
		} while (this.#lookAgain)
		this.#looking = false
	}

	/** Takes over what `request` gives, unless something else has been asked for meanwhile. */
	async #follow(request: ImportRequest, span: ActiveSpan | undefined): Promise<void> {
		const outcome = await this.#load(request, true, span)
		if (this.#request !== request || !this.live || this.#shared.ending.aborted) {
			await this.#drop(outcome.loaded)
			return
		}
		if (outcome.problem !== undefined && outcome.problem !== this.problem)
			this.#shared.logger.error('failed to update module', { node: this.id, err: outcome.problem })
		this.#accept(outcome)
	}

	async rollback(): Promise<void> {
		const loaded = this.#pending?.loaded
		this.#pending = undefined
		this.#openView = undefined
		await this.#drop(loaded)
	}

	evaluate(scope: Scope): void {
		this.evaluatedAt = tick()
		try {
			const request = readRequest(this.block, scope)
			const misread = this.#misread
			this.#misread = false
			if (deepEqual(request, this.#request)) {
				if (misread) this.#accept({ loaded: this.#loaded })
				return
			}
			this.#request = request
			const work = this.#follow(request, this.span?.child('FetchModule'))
			// Nothing that is going on waits for a server.
			if (request.kind === 'import.string' || request.kind === 'import.file') this.#module.track(work)
		} catch (reason) {
			this.#misread = true
			this.problem = messageOf(reason)
			this.health.evaluated('unhealthy', this.problem)
			this.#shared.logger.error('failed to evaluate config', { node: this.id, err: this.problem })
		}
	}

	async stop(): Promise<void> {
		this.live = false
		this.#watch?.close()
		this.#watch = undefined
		for (const node of this.#loaded?.inner ?? []) await node.stop()
	}
}

/** What stands before the reason when a module cannot be had, as in Alloy. */
const prefixes: Readonly<Record<ImportRequest['kind'], string>> = {
	'import.string': '',
	'import.file': '',
	'import.http': 'creating http component: ',
	'import.git': 'updating component: ',
}
