import { type AttrField, attr } from '../../../../eval/args.ts'
import { string, type Type } from '../../../../eval/types.ts'

/** Known from Alloy, accepted, and named in a warning: it has no effect yet. */
export const later = <T>(type: Type<T>, doc?: string): AttrField<T> =>
	attr(type, { notYet: true, ...(doc === undefined ? {} : { doc }) })

/** Text for which some words are known; others are accepted, as Alloy accepts them. */
export const oneOf = (choices: readonly string[]): Type<string> => ({ ...string, choices })
