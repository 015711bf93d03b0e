import type { ArgsOf } from '../../../eval/args.ts'
import type { routesArgs as stageArgs } from '../../common/routes-args.ts'
import type { routesArgs } from './args/routes.ts'

type Stage = ArgsOf<typeof stageArgs>

const MODES: readonly string[] = ['all', 'metrics', 'traces']
const UNMATCHED: readonly string[] = ['unset', 'path', 'wildcard', 'heuristic', 'low-cardinality']

/** The `routes` block of `ebpf.correlate`: what is not written, or not known, is the stage's default. */
export function routesOf(args: ArgsOf<typeof routesArgs>, defaults: Stage): Stage {
	return {
		patterns: args.patterns,
		ignored_patterns: args.ignored_patterns,
		ignore_mode: MODES.includes(args.ignore_mode)
			? (args.ignore_mode as Stage['ignore_mode'])
			: defaults.ignore_mode,
		unmatched: UNMATCHED.includes(args.unmatched)
			? (args.unmatched as Stage['unmatched'])
			: defaults.unmatched,
		wildcard_char: args.wildcard_char || defaults.wildcard_char,
		max_path_segment_cardinality: args.max_path_segment_cardinality || defaults.max_path_segment_cardinality,
	}
}
