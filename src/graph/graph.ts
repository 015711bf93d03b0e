import { EventEmitter } from 'node:events'
import { createStdlib, stdlibScope } from '../eval/stdlib/index.ts'
import type { Block } from '../syntax/ast.ts'
import { type Diagnostic, formatDiagnostic, formatPosition, hasErrors } from '../syntax/diag.ts'
import type { Source } from '../syntax/source.ts'
import type { Accounting } from '../telemetry/accounting.ts'
import type { Logger } from '../telemetry/log.ts'
import type { MetricRegistry } from '../telemetry/registry.ts'
import { type ActiveSpan, noTracer, type Tracer } from '../telemetry/tracer.ts'
import type { Stability } from './component.ts'
import { type ComponentInfo, componentsOf } from './component-info.ts'
import { createEvaluationMetrics, noEvaluationMetrics } from './evaluation-metrics.ts'
import { createFetcher } from './fetcher.ts'
import { type GraphSource, parseSources } from './graph-source.ts'
import type { Fetcher } from './import-source.ts'
import { lintFields } from './lint.ts'
import { Module, type ModuleChanges } from './module.ts'
import { LoadError, messageOf } from './node.ts'
import type { Registry } from './registry.ts'
import type { NodeEvent, Shared } from './shared.ts'

export type { ComponentInfo, GraphSource }

export interface GraphOptions {
	readonly registry: Registry
	readonly accounting: Accounting
	readonly logger: Logger
	readonly storagePath: string
	readonly stabilityLevel: Stability
	/** What `sys.env` reads. */
	readonly env?: NodeJS.ProcessEnv
	/** `constants.version`. */
	readonly version?: string
	readonly fetcher?: Fetcher
	/** Where evaluations are counted. */
	readonly metrics?: MetricRegistry
	/** Where it tells what it does. */
	readonly tracer?: Tracer
}

export interface LoadResult {
	readonly ok: boolean
	/** Whether every file of the configuration could be parsed. */
	readonly parsed: boolean
	readonly diagnostics: readonly Diagnostic[]
	/** Texts of the diagnostics' files, for rendering. */
	readonly sources: ReadonlyMap<string, Source>
	/** Texts of the modules that a failed load fetched, by where they came from: Alloy shows no excerpts of them. */
	readonly moduleTexts: ReadonlyMap<string, string>
	readonly summary: ModuleChanges
}

export interface LoadStatus {
	/** 0 before the first load. */
	readonly loads: number
	readonly failures: number
	readonly lastOk: boolean
	readonly lastSuccess: Date | undefined
	readonly lastDiagnostics: readonly Diagnostic[]
}

export interface GraphEvents {
	/** A node's health or exports changed. */
	node: [event: NodeEvent]
	/** Arguments of `logging`, `tracing`, `http` or `livedebugging` are in force. */
	configure: [name: string, args: unknown]
	/** A load or reload ended. */
	load: [result: LoadResult]
}

export interface Graph {
	readonly events: EventEmitter<GraphEvents>
	/** The first time builds and starts; later times turn what runs into the new configuration, or leave it as it is. */
	load(source: GraphSource): Promise<LoadResult>
	/** Loads the last source again. */
	reload(): Promise<LoadResult>
	/** Stops everything, sources first, within `deadlineMs`; says what was left. */
	stop(deadlineMs: number): Promise<{ readonly clean: boolean }>
	components(): readonly ComponentInfo[]
	status(): LoadStatus
	/** Waits until changes that are known have been evaluated. */
	settled(): Promise<void>
}

const none: ReadonlyMap<string, string> = new Map()
const nothing: ModuleChanges = { added: [], removed: [], kept: [] }

export function createGraph(options: GraphOptions): Graph {
	return new RunningGraph(options)
}

class RunningGraph implements Graph {
	readonly events = new EventEmitter<GraphEvents>()
	readonly #options: GraphOptions
	readonly #shared: Shared
	readonly #root: Module
	#source: GraphSource | undefined
	#status: LoadStatus = { loads: 0, failures: 0, lastOk: false, lastSuccess: undefined, lastDiagnostics: [] }
	/** Loads and the stop happen one after the other. */
	#queue: Promise<unknown> = Promise.resolve()
	#started = false
	readonly #scheduled = new Set<{ settle(): void }>()
	readonly #ending = new AbortController()
	/** Texts of the modules that were fetched during the load that is going on. */
	readonly #moduleTexts = new Map<string, string>()
	#loading = false

	constructor(options: GraphOptions) {
		this.#options = options
		const shared: Shared = {
			registry: options.registry,
			accounting: options.accounting,
			logger: options.logger,
			storagePath: options.storagePath,
			stability: options.stabilityLevel,
			stdlib: stdlibScope(createStdlib(options.env ?? process.env, options.version)),
			fetcher: this.#noting(options.fetcher ?? createFetcher()),
			dry: false,
			stopping: false,
			metrics: options.metrics === undefined ? noEvaluationMetrics : createEvaluationMetrics(options.metrics),
			tracer: options.tracer ?? noTracer,
			ending: this.#ending.signal,
			configure: (name, args) => void this.events.emit('configure', name, args),
			changed: (event) => void this.events.emit('node', event),
			schedule: (module) => this.#schedule(module),
		}
		this.#shared = shared
		this.#root = new Module('', shared)
	}

	#noting(fetcher: Fetcher): Fetcher {
		return {
			fetch: async (...args) => {
				const fetched = await fetcher.fetch(...args)
				if (this.#loading) for (const { name, text } of fetched.files) this.#moduleTexts.set(name, text)
				return fetched
			},
			watch: (...args) => fetcher.watch(...args),
		}
	}

	#schedule(module: { settle(): void }): void {
		if (this.#scheduled.size === 0) setImmediate(() => this.#settle())
		this.#scheduled.add(module)
	}

	#settle(): void {
		const modules = [...this.#scheduled]
		this.#scheduled.clear()
		for (const module of modules) module.settle()
	}

	async settled(): Promise<void> {
		while (this.#scheduled.size > 0) this.#settle()
		await this.#root.settled()
	}

	load(source: GraphSource): Promise<LoadResult> {
		return this.#enqueue(() => this.#load(source))
	}

	reload(): Promise<LoadResult> {
		const source = this.#source
		if (source === undefined) throw new Error('nothing was loaded yet')
		return this.load(source)
	}

	#enqueue<T>(work: () => Promise<T>): Promise<T> {
		const done = this.#queue.then(work)
		this.#queue = done.catch(() => undefined)
		return done
	}

	async #load(source: GraphSource): Promise<LoadResult> {
		const { tracer } = this.#shared
		if (source.files.some(({ text }) => text.includes('tracing'))) tracer.expect()
		const span = tracer.root('LoadConfiguration')
		span?.set('vor.config.path', source.path)
		span?.set('vor.config.reload', this.#started)
		try {
			const result = await this.#loadTraced(source, span)
			span?.end(result.ok ? undefined : result.diagnostics.map(formatDiagnostic).join('; '))
			return result
		} catch (reason) {
			span?.end(messageOf(reason))
			throw reason
		} finally {
			tracer.forget()
		}
	}

	async #loadTraced(source: GraphSource, span: ActiveSpan | undefined): Promise<LoadResult> {
		const parsing = span?.child('ParseConfiguration')
		const parsed = parseSources(source)
		parsing?.end(hasErrors(parsed.diagnostics) ? 'syntax errors' : undefined)
		const sources = parsed.sources
		let result: LoadResult
		this.#loading = true
		try {
			if (hasErrors(parsed.diagnostics)) throw new LoadError(parsed.diagnostics)
			await this.#root.prepare(parsed.input, span)
			const summary = await this.#root.commit(span)
			this.#warn(parsed.input.blocks)
			if (!this.#started) {
				const starting = span?.child('GraphStart')
				await this.#root.start()
				starting?.end()
			}
			this.#started = true
			this.#source = source
			this.#options.logger.info('scheduling loaded components and services', { controller_id: '' })
			result = {
				ok: true,
				parsed: true,
				diagnostics: parsed.diagnostics,
				sources,
				moduleTexts: none,
				summary,
			}
		} catch (reason) {
			if (!(reason instanceof LoadError)) throw reason
			const { diagnostics } = reason
			const moduleTexts = new Map(this.#moduleTexts)
			const wasParsed = !hasErrors(parsed.diagnostics)
			result = { ok: false, parsed: wasParsed, diagnostics, sources, moduleTexts, summary: nothing }
		} finally {
			this.#loading = false
			this.#moduleTexts.clear()
		}
		this.#status = {
			loads: this.#status.loads + 1,
			failures: this.#status.failures + (result.ok ? 0 : 1),
			lastOk: result.ok,
			lastSuccess: result.ok ? new Date() : this.#status.lastSuccess,
			lastDiagnostics: result.diagnostics,
		}
		this.events.emit('load', result)
		return result
	}

	/** What is deprecated or has no effect yet; the rest of what `validate` warns of is not worth a line at every start. */
	#warn(blocks: readonly Block[]): void {
		for (const one of lintFields(blocks, this.#options.registry))
			this.#options.logger.warn(one.message, { at: formatPosition(one.start) })
	}

	stop(deadlineMs: number): Promise<{ readonly clean: boolean }> {
		// A load that waits for a server ends now, not when that answers.
		this.#ending.abort()
		return this.#enqueue(async () => {
			this.#shared.stopping = true
			let timer: NodeJS.Timeout | undefined
			const late = new Promise<boolean>((done) => {
				timer = setTimeout(() => done(false), deadlineMs)
			})
			const clean = await Promise.race([this.#root.stop().then(() => true), late])
			clearTimeout(timer)
			return { clean }
		})
	}

	status(): LoadStatus {
		return this.#status
	}

	components(): readonly ComponentInfo[] {
		return componentsOf(this.#root)
	}
}
