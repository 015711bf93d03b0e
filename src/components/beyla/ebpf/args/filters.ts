import { attr, blocks, defineArgs } from '../../../../eval/args.ts'
import { int, optional, string } from '../../../../eval/types.ts'

const filter = {
	attr: attr(string, { required: true }),
	match: attr(string),
	not_match: attr(string),
	greater_than: attr(optional(int)),
	greater_equals: attr(optional(int)),
	equals: attr(optional(int)),
	not_equals: attr(optional(int)),
	less_equals: attr(optional(int)),
	less_than: attr(optional(int)),
}

export const filtersArgs = defineArgs({ application: blocks(filter), network: blocks(filter) })
