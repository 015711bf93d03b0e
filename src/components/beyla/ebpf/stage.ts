import type { ArgsSchema } from '../../../eval/args.ts'
import { LiveChannel } from '../../../flow/live.ts'
import type { Port } from '../../../flow/ports.ts'
import type { Component, ComponentDefinition, ComponentOptions } from '../../../graph/component.ts'

/** A stage component inside a `beyla.ebpf`, with its port. */
export interface Stage<A> {
	readonly component: Component<A>
	readonly input: Port | undefined
}

/** Builds a stage as the graph would, with an id as if it stood in a module named after the block. */
export function buildStage<A>(
	parent: ComponentOptions<never>,
	definition: ComponentDefinition<A, never>,
	args: A,
): Stage<A> {
	let input: Port | undefined
	const options: ComponentOptions<{ readonly input?: Port }> = {
		...parent,
		...stageRef(parent, definition.name),
		// The block shows what leaves it, not what passes between its stages.
		live: new LiveChannel(),
		onStateChange: (exports) => void (input = exports.input),
	}
	const component = definition.build(options as ComponentOptions<never>, args)
	return { component, input }
}

export const defaultsOf = <A>(definition: { readonly args: ArgsSchema<A> }): A => definition.args.defaults()

/** Under which a stage counts. */
export function stageRef(parent: ComponentOptions<never>, name: string): { path: string; id: string } {
	const label = parent.id.slice(parent.id.lastIndexOf('.') + 1)
	return { id: `${name}.${label}`, path: `${parent.path === '/' ? '' : parent.path}/${parent.id}` }
}
