import { ValueError, valueError, wrapProblem } from '../errors.ts'
import type { Type } from '../types.ts'
import { FunctionValue, type Value } from '../values.ts'

/** A failure inside a function, shown after the function's name: `encoding.from_json unexpected end of JSON input`. */
export class FunctionError extends Error {}

/** An error of a function that checks its own arguments: shown without a place, as Alloy does. */
export class UnplacedError extends Error {}

type Decoded<P extends readonly Type<unknown>[]> = { [K in keyof P]: P[K] extends Type<infer T> ? T : never }

/** A function with typed parameters; too many or too few arguments and wrong types are refused with Alloy's texts. */
export function typedFunction<const P extends readonly Type<unknown>[]>(
	name: string,
	parameters: P,
	body: (...args: Decoded<P>) => Value,
): FunctionValue {
	return new FunctionValue(name, (self, args) => {
		if (args.length !== parameters.length)
			throw valueError(self, `expected ${parameters.length} args, got ${args.length}`)
		const decoded = args.map((arg, i) => decodeArgument(arg, parameters[i]!)) as Decoded<P>
		return guarded(self, () => body(...decoded))
	})
}

/** The same with any number of further arguments of one type at the end. */
export function variadicFunction<const P extends readonly Type<unknown>[], R>(
	name: string,
	parameters: P,
	rest: Type<R>,
	body: (rest: readonly R[], ...args: Decoded<P>) => Value,
): FunctionValue {
	return new FunctionValue(name, (self, args) => {
		if (args.length < parameters.length)
			throw valueError(self, `expected at least ${parameters.length} args, got ${args.length}`)
		const decoded = parameters.map((type, i) => decodeArgument(args[i]!, type)) as Decoded<P>
		const more = args.slice(parameters.length).map((arg) => decodeArgument(arg, rest))
		return guarded(self, () => body(more, ...decoded))
	})
}

function decodeArgument<T>(value: Value, type: Type<T>): T {
	try {
		return type.decode(value)
	} catch (reason) {
		return wrapProblem(reason, (inner) => ({ kind: 'argument', value, inner }))
	}
}

function guarded(self: FunctionValue, body: () => Value): Value {
	try {
		return body()
	} catch (reason) {
		if (reason instanceof FunctionError) throw valueError(self, reason.message)
		throw reason
	}
}

/** An argument refused by a function that takes raw values. */
export const argumentType = (value: Value, expected: Value['type']): ValueError =>
	new ValueError({ kind: 'argument', value, inner: { kind: 'type', value, expected } })
