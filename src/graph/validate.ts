import { createStdlib, stdlibScope } from '../eval/stdlib/index.ts'
import { type Diagnostic, hasErrors } from '../syntax/diag.ts'
import type { Source } from '../syntax/source.ts'
import { advise } from './advice.ts'
import type { Stability } from './component.ts'
import { checkDeeply } from './deep-check.ts'
import { type GraphSource, parseSources } from './graph-source.ts'
import { lint } from './lint.ts'
import type { Registry } from './registry.ts'
import { checkStatically } from './static-check.ts'

export interface ValidateOptions {
	readonly registry: Registry
	readonly stability: Stability
	readonly env: NodeJS.ProcessEnv
	readonly version?: string
}

export interface Validation {
	/** What makes the configuration invalid, in Alloy's words; empty when it would run. */
	readonly problems: readonly Diagnostic[]
	/** What would run and still looks wrong: ours, shown where Alloy's own output is not expected. */
	readonly warnings: readonly Diagnostic[]
	readonly sources: ReadonlyMap<string, Source>
	/** Texts of the modules that were read: Alloy shows no excerpts of them. */
	readonly moduleTexts: ReadonlyMap<string, string>
}

/**
 * Checks a configuration without running it. Where Alloy's `validate` finds something, exactly that; else what its `run`
 * would refuse. Reads modules on disk, opens no network and none of the files that components would.
 */
export async function validateConfiguration(
	source: GraphSource,
	options: ValidateOptions,
): Promise<Validation> {
	const { input, diagnostics, sources } = parseSources(source)
	const context = {
		registry: options.registry,
		stability: options.stability,
		stdlib: stdlibScope(createStdlib(options.env, options.version)),
	}
	const finish = (
		problems: readonly Diagnostic[],
		warnings: readonly Diagnostic[],
		moduleTexts: ReadonlyMap<string, string> = new Map(),
	): Validation => ({
		problems: problems.map((one) => advise(one, options.registry, input.blocks)),
		warnings,
		sources,
		moduleTexts,
	})
	if (hasErrors(diagnostics)) return finish(diagnostics, [])
	const found = checkStatically(input, context)
	if (found.length > 0) return finish(found, [])
	const fileOrder = source.files.map((file) => file.name)
	const deeper = await checkDeeply(input, { ...context, fileOrder })
	const warnings = deeper.diagnostics.length > 0 ? [] : lint(input.blocks, options.registry)
	return finish(deeper.diagnostics, warnings, deeper.moduleTexts)
}
