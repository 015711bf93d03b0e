import type { Block } from '../syntax/ast.ts'

/** A `declare` and the names its body can use. */
export interface Declare {
	readonly block: Block
	readonly scope: CustomScope
}

/** What an import node offers: nothing while it could not be read. */
export interface ImportedModule {
	readonly declares: CustomScope | undefined
	/** It was not looked at: it may offer anything. */
	readonly unseen: boolean
	/** Why it offers nothing. */
	readonly problem: string | undefined
	/** Grows whenever it offers something else. */
	readonly exportsChangedAt: number
}

/**
 * The custom components that are visible in a module: its own declares and imports, then those of the modules around it.
 * They hide built-in components of the same name.
 */
export class CustomScope {
	readonly #outer: CustomScope | undefined
	readonly declares = new Map<string, Block>()
	readonly imports = new Map<string, ImportedModule>()
	/** Folder or URL of the file that the scope was read from: `module_path`. */
	readonly modulePath: string

	constructor(modulePath: string, outer?: CustomScope) {
		this.modulePath = modulePath
		this.#outer = outer
	}

	/** Whether a component of this name is a custom one; its first part decides. */
	has(first: string): boolean {
		return this.declares.has(first) || this.imports.has(first) || (this.#outer?.has(first) ?? false)
	}

	/** Whether a name may come from a module that was not looked at. */
	maybe(name: readonly string[]): boolean {
		const module = this.imports.get(name[0] ?? '')
		if (module !== undefined && name.length > 1)
			return module.unseen || (module.declares?.maybe(name.slice(1)) ?? false)
		return this.#outer?.maybe(name) ?? false
	}

	/** Grows whenever one of the modules that can be seen from here offers something else. */
	get revision(): number {
		let latest = this.#outer === undefined ? 0 : this.#outer.revision
		for (const module of this.imports.values())
			latest = Math.max(
				latest,
				module.exportsChangedAt,
				module.declares === undefined ? 0 : module.declares.revision,
			)
		return latest
	}

	/** Why the module that a name comes from offers nothing. */
	problemOf(name: readonly string[]): string | undefined {
		const module = this.imports.get(name[0] ?? '')
		if (module !== undefined) return module.problem ?? module.declares?.problemOf(name.slice(1))
		return this.#outer?.problemOf(name)
	}

	find(name: readonly string[]): Declare | undefined {
		const [first = '', ...rest] = name
		if (rest.length === 0) {
			const block = this.declares.get(first)
			if (block !== undefined) return { block, scope: this }
		} else {
			const module = this.imports.get(first)
			if (module !== undefined) return module.declares?.find(rest)
		}
		return this.#outer?.find(name)
	}
}
