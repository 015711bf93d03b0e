import { attr, defineArgs } from '../../../../eval/args.ts'
import { int, list, string } from '../../../../eval/types.ts'
import { oneOf } from './common.ts'

/** As Alloy, it checks no words: one that is not known counts as not written. */
export const routesArgs = defineArgs({
	patterns: attr(list(string), { doc: 'Routes with placeholders: `/users/{id}`, `/files/*`.' }),
	ignored_patterns: attr(list(string), { doc: 'Paths that are left out.' }),
	ignore_mode: attr(oneOf(['all', 'metrics', 'traces']), {
		doc: 'Signals that ignored paths are left out of. Default: all.',
	}),
	unmatched: attr(oneOf(['unset', 'path', 'wildcard', 'heuristic', 'low-cardinality']), {
		doc: 'What a path that no pattern matches becomes. Default: "heuristic".',
	}),
	wildcard_char: attr(string, { doc: 'Stands for a segment that varies. Default: "*".' }),
	max_path_segment_cardinality: attr(int, {
		doc: 'Distinct children of one path node before they collapse (`low-cardinality`). Default: 10.',
	}),
})
