import { dirname, resolve } from 'node:path'
import type { Attribute, Block } from '../syntax/ast.ts'
import type { Diagnostic } from '../syntax/diag.ts'
import { parseFile } from '../syntax/parser.ts'
import { Source } from '../syntax/source.ts'
import type { SourceFile } from './import-source.ts'
import type { ModuleInput } from './plan.ts'

/** A configuration: one file, or the files of a folder taken together. */
export interface GraphSource {
	/** The path that was asked for; `module_path` follows from it. */
	readonly path: string
	readonly files: readonly SourceFile[]
}

export interface ParsedSources {
	readonly input: ModuleInput
	readonly diagnostics: readonly Diagnostic[]
	readonly sources: ReadonlyMap<string, Source>
}

/** The files of a configuration as the input of its root module. */
export function parseSources(source: GraphSource): ParsedSources {
	const blocks: Block[] = []
	const attributes: Attribute[] = []
	const diagnostics: Diagnostic[] = []
	const sources = new Map<string, Source>()
	for (const { name, text } of source.files) {
		const file = new Source(name, text)
		sources.set(name, file)
		const parsed = parseFile(name, file)
		diagnostics.push(...parsed.diagnostics)
		for (const statement of parsed.file.body) {
			if (statement.kind === 'block') blocks.push(statement)
			else attributes.push(statement)
		}
	}
	const single = source.files.length === 1 && source.files[0]!.name === source.path
	const modulePath = single ? dirname(resolve(source.path)) : resolve(source.path)
	return {
		input: { blocks, attributes, customs: undefined, modulePath, args: undefined, outer: undefined },
		diagnostics,
		sources,
	}
}
