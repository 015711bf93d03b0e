import type { ArgsSchema } from '../../eval/args.ts'

/** Paths of the arguments that were given (that is, differ from their defaults) and have no effect yet. */
export function ignoredArguments(schema: ArgsSchema<unknown>, args: unknown, path = ''): readonly string[] {
	const values = args as Readonly<Record<string, unknown>>
	const out: string[] = []
	const defaults = schema.defaults() as Readonly<Record<string, unknown>>
	for (const [name, field] of Object.entries(schema.fields)) {
		const value = values[name]
		if (JSON.stringify(value) === JSON.stringify(defaults[name])) continue
		if (field.info.notYet === true) out.push(path + name)
		else if (field.kind === 'block' || field.kind === 'optional-block')
			out.push(...ignoredArguments(field.schema, value, `${path}${name}.`))
		else if (field.kind === 'blocks')
			for (const each of value as readonly unknown[])
				out.push(...ignoredArguments(field.schema, each, `${path}${name}.`))
	}
	return [...new Set(out)]
}
