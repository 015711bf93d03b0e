import type { Scope } from '../eval/scope.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import { createAccounting } from '../telemetry/accounting.ts'
import type { Logger } from '../telemetry/log.ts'
import { noTracer } from '../telemetry/tracer.ts'
import { noEvaluationMetrics } from './evaluation-metrics.ts'
import { fetchModule } from './fetcher.ts'
import { type Fetcher, UnseenModule } from './import-source.ts'
import { Module } from './module.ts'
import { LoadError } from './node.ts'
import type { ModuleInput } from './plan.ts'
import type { StaticContext } from './static-check.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** Modules on disk are read, and their texts kept for excerpts; nothing is fetched over a network. */
const diskOnly = (texts: Map<string, string>): Fetcher => ({
	async fetch(request, storagePath) {
		if (request.kind === 'import.http' || request.kind === 'import.git') throw new UnseenModule()
		const fetched = await fetchModule(request, storagePath)
		for (const { name, text } of fetched.files) texts.set(name, text)
		return fetched
	},
	watch: () => ({ close() {} }),
})

/**
 * What `run` would refuse, found without running: every expression is evaluated and every argument decoded, but no
 * component is built. In the order of the files.
 */
export async function checkDeeply(
	input: ModuleInput,
	context: StaticContext & { readonly stdlib: Scope; readonly fileOrder: readonly string[] },
): Promise<{
	readonly diagnostics: readonly Diagnostic[]
	readonly moduleTexts: ReadonlyMap<string, string>
}> {
	const moduleTexts = new Map<string, string>()
	const module = new Module('', {
		registry: context.registry,
		accounting: createAccounting(),
		logger: silent,
		storagePath: '',
		stability: context.stability,
		stdlib: context.stdlib,
		fetcher: diskOnly(moduleTexts),
		dry: true,
		stopping: false,
		metrics: noEvaluationMetrics,
		tracer: noTracer,
		ending: new AbortController().signal,
		configure() {},
		changed() {},
		schedule() {},
	})
	try {
		await module.prepare(input)
		await module.rollback()
		return { diagnostics: [], moduleTexts }
	} catch (reason) {
		if (!(reason instanceof LoadError)) throw reason
		return { diagnostics: inFileOrder(unique(reason.diagnostics), context.fileOrder), moduleTexts }
	}
}

function inFileOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): readonly Diagnostic[] {
	const place = (one: Diagnostic): number => {
		const at = files.indexOf(one.start.filename)
		return at < 0 ? (one.start.line === 0 ? -1 : files.length) : at
	}
	return [...diagnostics].sort((a, b) => place(a) - place(b) || a.start.offset - b.start.offset)
}

/** A declare that is used twice is wrong once. */
function unique(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
	const seen = new Set<string>()
	return diagnostics.filter((one) => {
		const key = `${one.start.filename}:${one.start.offset}:${one.end.offset}:${one.message}`
		return !seen.has(key) && seen.add(key)
	})
}
