import type { AnyDefinition, Stability } from './component.ts'
import { stabilityProblem } from './stability.ts'

/** The components that a configuration can use. */
export interface Registry {
	get(name: string): AnyDefinition | undefined
	list(): readonly AnyDefinition[]
}

export function createRegistry(definitions: readonly AnyDefinition[]): Registry {
	const byName = new Map<string, AnyDefinition>()
	for (const definition of definitions) {
		if (byName.has(definition.name)) throw new Error(`component ${definition.name} is registered twice`)
		byName.set(definition.name, definition)
	}
	return { get: (name) => byName.get(name), list: () => [...byName.values()] }
}

export type Lookup = { readonly definition: AnyDefinition } | { readonly problem: string }

/** A component by name, or why it cannot be used, in Alloy's words. */
export function lookUp(registry: Registry, name: string, minimum: Stability): Lookup {
	const definition = registry.get(name)
	if (definition === undefined) return { problem: `cannot find the definition of component name "${name}"` }
	const problem = stabilityProblem(`component "${name}"`, definition.stability, minimum)
	return problem === undefined ? { definition } : { problem }
}
