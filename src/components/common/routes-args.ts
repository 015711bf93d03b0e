import { ROUTES_DEFAULTS, type RouteOptions } from '../../correlate/index.ts'
import { type ArgsOf, attr, defineArgs } from '../../eval/args.ts'
import { enumOf, int, list, string } from '../../eval/types.ts'

/** The `routes` block, as `beyla.ebpf` has it. */
export const routesArgs = defineArgs({
	patterns: attr(list(string), { doc: 'Routes with placeholders: `/users/{id}`, `/files/*`.' }),
	ignored_patterns: attr(list(string), { doc: 'Paths that are left out.' }),
	ignore_mode: attr(enumOf(['', 'all', 'metrics', 'traces']), {
		doc: 'Signals that ignored paths are left out of. Default: all.',
	}),
	unmatched: attr(enumOf(['', 'unset', 'path', 'wildcard', 'heuristic', 'low-cardinality']), {
		default: 'heuristic',
		doc: 'What a path that no pattern matches becomes.',
	}),
	wildcard_char: attr(string, {
		default: ROUTES_DEFAULTS.wildcardChar,
		doc: 'Stands for a segment that varies.',
	}),
	max_path_segment_cardinality: attr(int, {
		default: ROUTES_DEFAULTS.maxPathSegmentCardinality,
		doc: 'Distinct children of one path node before they collapse (`low-cardinality`).',
	}),
})

export function routesOf(args: ArgsOf<typeof routesArgs>): RouteOptions {
	return {
		patterns: args.patterns,
		ignoredPatterns: args.ignored_patterns,
		ignoreMode: args.ignore_mode,
		unmatched: args.unmatched,
		wildcardChar: args.wildcard_char,
		maxPathSegmentCardinality: args.max_path_segment_cardinality,
	}
}
