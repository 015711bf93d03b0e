import { deepEqual } from '../eval/equal.ts'
import { createScope, type Scope } from '../eval/scope.ts'
import { stringValue } from '../eval/values.ts'
import type { Block } from '../syntax/ast.ts'
import { formatDiagnostic, hasErrors } from '../syntax/diag.ts'
import { parseFile } from '../syntax/parser.ts'
import type { ModuleRef } from './component-node.ts'
import { importFile, importGit, importHttp, importString } from './config-blocks.ts'
import { CustomScope, type ImportedModule } from './customs.ts'
import { type Fetched, type ImportRequest, UnseenModule } from './import-source.ts'
import { blockId, blockName, messageOf, Node } from './node.ts'
import { type Shared, tick } from './shared.ts'
import { configError, decodeConfig } from './value-nodes.ts'

/** Modules that import modules that import …: this deep and no deeper. */
const maxImportDepth = 16

interface Loaded {
	readonly request: ImportRequest
	readonly declares: CustomScope
	/** Import nodes of the module itself. */
	readonly inner: readonly ImportNode[]
}

/** An `import.*` block: the declares of a module from elsewhere, under its label. */
export class ImportNode extends Node implements ImportedModule {
	readonly #shared: Shared
	readonly #module: ModuleRef
	readonly #depth: number
	#loaded: Loaded | undefined
	#pending:
		| { readonly block: Block; readonly loaded: Loaded | undefined; readonly problem?: string }
		| undefined
	#watch: { close(): void } | undefined

	constructor(id: string, block: Block, shared: Shared, module: ModuleRef, depth = 0) {
		super(id, block)
		this.#shared = shared
		this.#module = module
		this.#depth = depth
	}

	unseen = false
	problem: string | undefined

	get declares(): CustomScope | undefined {
		return (this.#pending?.loaded ?? this.#loaded)?.declares
	}

	async prepare(block: Block, scope: Scope): Promise<void> {
		this.evaluatedAt = tick()
		try {
			const request = readRequest(block, scope)
			const known = this.#loaded
			if (known !== undefined && deepEqual(known.request, request)) {
				this.#pending = { block, loaded: known }
				return
			}
			this.#pending = { block, ...(await this.#load(request, this.live)) }
			this.problem = this.#pending.problem
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
				if (this.live) this.#module.exportsChanged(this)
			},
			track: (work) => this.#module.track(work),
			retire: (work) => this.#module.retire(work),
		}
	}

	/** What the request gives. A module that cannot be parsed is no veto; one that cannot be read is, unless it ran before. */
	async #load(
		request: ImportRequest,
		keep: boolean,
	): Promise<{ loaded: Loaded | undefined; problem?: string }> {
		let fetched: Fetched
		try {
			fetched = await this.#shared.fetcher.fetch(request, this.#shared.storagePath)
		} catch (reason) {
			if (reason instanceof UnseenModule) {
				this.unseen = true
				return { loaded: undefined }
			}
			if (!keep) throw reason
			return { loaded: this.#loaded, problem: messageOf(reason) }
		}
		try {
			return { loaded: await this.#parse(request, fetched) }
		} catch (reason) {
			this.#shared.logger.error('failed to update imported content', {
				node: this.id,
				err: messageOf(reason),
			})
			return { loaded: this.#loaded, problem: messageOf(reason) }
		}
	}

	async #parse(request: ImportRequest, fetched: Fetched): Promise<Loaded> {
		if (this.#depth >= maxImportDepth)
			throw new Error(`modules import each other more than ${maxImportDepth} deep`)
		const declares = new CustomScope(fetched.modulePath)
		const inner: ImportNode[] = []
		for (const { name, text } of fetched.files) {
			const { file, diagnostics } = parseFile(name, text)
			if (hasErrors(diagnostics)) throw new Error(diagnostics.map(formatDiagnostic).join('; '))
			for (const statement of file.body) {
				const kind = statement.kind === 'attribute' ? statement.name.name : blockName(statement)
				if (statement.kind === 'attribute')
					throw new Error(`only declare and import blocks are allowed in a module, got ${kind}`)
				if (kind === 'declare') declares.declares.set(statement.label, statement)
				else if (kind.startsWith('import.')) {
					const node = new ImportNode(
						blockId(statement),
						statement,
						this.#shared,
						this.#inside,
						this.#depth + 1,
					)
					declares.imports.set(statement.label, node)
					inner.push(node)
				} else throw new Error(`only declare and import blocks are allowed in a module, got ${kind}`)
			}
		}
		const names = new Map([['module_path', stringValue(fetched.modulePath)]])
		const scope = createScope(names, this.#shared.stdlib)
		for (const node of inner) {
			await node.prepare(node.block, scope)
			await node.commit()
		}
		return { request, declares, inner }
	}

	async commit(): Promise<void> {
		const pending = this.#pending
		this.#pending = undefined
		this.live = true
		if (pending === undefined) return
		this.block = pending.block
		this.#accept(pending.loaded, pending.problem)
	}

	#accept(loaded: Loaded | undefined, problem: string | undefined): void {
		this.problem = problem
		if (problem === undefined) this.health.evaluated('healthy', 'module loaded')
		else this.health.evaluated('unhealthy', problem)
		if (loaded === this.#loaded) {
			this.#observe()
			return
		}
		const old = this.#loaded
		this.#loaded = loaded
		for (const node of old?.inner ?? []) void node.stop()
		this.exportsChangedAt = tick()
		this.#observe()
		this.#module.exportsChanged(this)
	}

	#observe(): void {
		this.#watch?.close()
		this.#watch = undefined
		const request = this.#loaded?.request
		if (request === undefined || request.kind === 'import.string') return
		this.#watch = this.#shared.fetcher.watch(request, () => this.#module.track(this.#refresh(request)))
	}

	async #refresh(request: ImportRequest): Promise<void> {
		if (this.#loaded?.request !== request) return
		const { loaded, problem } = await this.#load(request, true)
		if (this.#loaded?.request !== request || this.#pending !== undefined) return
		if (problem !== undefined)
			this.#shared.logger.error('failed to update module', { node: this.id, err: problem })
		if (loaded !== undefined) this.#accept(loaded, problem)
	}

	async rollback(): Promise<void> {
		const loaded = this.#pending?.loaded
		this.#pending = undefined
		if (loaded !== this.#loaded) for (const node of loaded?.inner ?? []) await node.stop()
	}

	evaluate(scope: Scope): void {
		this.evaluatedAt = tick()
		try {
			const request = readRequest(this.block, scope)
			if (!deepEqual(request, this.#loaded?.request)) this.#module.track(this.#change(request))
		} catch (reason) {
			this.health.evaluated('unhealthy', messageOf(reason))
		}
	}

	async #change(request: ImportRequest): Promise<void> {
		const { loaded, problem } = await this.#load(request, true)
		this.#accept(loaded, problem)
	}

	async stop(): Promise<void> {
		this.#watch?.close()
		this.#watch = undefined
		for (const node of this.#loaded?.inner ?? []) await node.stop()
	}
}

function readRequest(block: Block, scope: Scope): ImportRequest {
	const kind = blockName(block)
	switch (kind) {
		case 'import.string':
			return { kind, content: decodeConfig(importString, block, scope).content.reveal() }
		case 'import.file': {
			const args = decodeConfig(importFile, block, scope)
			return { kind, filename: args.filename, detector: args.detector, pollMs: args.poll_frequency }
		}
		case 'import.http': {
			const args = decodeConfig(importHttp, block, scope)
			const headers: Record<string, string> = { ...args.headers }
			const token = args.client.bearer_token.reveal()
			if (token !== '') headers['authorization'] = `Bearer ${token}`
			const basic = args.client.basic_auth
			if (basic !== undefined)
				headers['authorization'] =
					`Basic ${Buffer.from(`${basic.username}:${basic.password.reveal()}`).toString('base64')}`
			return {
				kind,
				url: args.url,
				method: args.method,
				headers,
				body: args.body,
				pollMs: args.poll_frequency,
				timeoutMs: args.poll_timeout,
			}
		}
		default: {
			const args = decodeConfig(importGit, block, scope)
			return {
				kind: 'import.git',
				repository: args.repository,
				revision: args.revision,
				path: args.path,
				pollMs: args.pull_frequency,
				environment: {},
			}
		}
	}
}
