import { GenerationCache } from '../../util/generation-cache.ts'
import { clusterPath } from './heuristic.ts'
import { createPathTrie, type PathTrie } from './path-trie.ts'
import { createPatternMatcher } from './pattern-matcher.ts'

/** Arguments of the `routes` block. */
export interface RouteOptions {
	readonly patterns: readonly string[]
	readonly ignoredPatterns: readonly string[]
	readonly ignoreMode: '' | 'all' | 'metrics' | 'traces'
	readonly unmatched: '' | 'unset' | 'path' | 'wildcard' | 'heuristic' | 'low-cardinality'
	/** One character. */
	readonly wildcardChar: string
	/** Distinct children of one path node before they collapse (`low-cardinality`); 0 = never. */
	readonly maxPathSegmentCardinality: number
}

export const ROUTES_DEFAULTS: RouteOptions = {
	patterns: [],
	ignoredPatterns: [],
	ignoreMode: '',
	unmatched: 'heuristic',
	wildcardChar: '*',
	maxPathSegmentCardinality: 10,
}

export interface Routes {
	/** Which signals leave this path out. */
	ignored(path: string): 'none' | 'all' | 'metrics' | 'traces'
	/** '' = no route. `service` owns the learned state of `low-cardinality`. */
	routeOf(service: string, path: string): string
}

const PATHS_KEPT = 8192
const SERVICES_KEPT = 1024
const WILDCARD_ROUTE = '/**'

/** The routes decorator: ignored patterns, then patterns, then what `unmatched` says. */
export function createRoutes(options: Partial<RouteOptions> = {}): Routes {
	const settings: RouteOptions = { ...ROUTES_DEFAULTS, ...options }
	const patterns = createPatternMatcher(settings.patterns)
	const ignoredPatterns = createPatternMatcher(settings.ignoredPatterns)
	const ignoreMode = settings.ignoreMode === '' ? 'all' : settings.ignoreMode
	// An empty `unmatched` with a routes block present means wildcard.
	const unmatched = settings.unmatched === '' ? 'wildcard' : settings.unmatched
	const wildcard = settings.wildcardChar === '' ? '*' : settings.wildcardChar.slice(0, 1)
	const matched = new GenerationCache<string, string>(PATHS_KEPT)
	const clustered = new GenerationCache<string, string>(PATHS_KEPT)
	const ignored = new GenerationCache<string, boolean>(PATHS_KEPT)
	const tries = new GenerationCache<string, PathTrie>(SERVICES_KEPT)

	function patternOf(path: string): string {
		if (settings.patterns.length === 0) return ''
		let pattern = matched.get(path)
		if (pattern === undefined) {
			pattern = patterns(path)
			matched.set(path, pattern)
		}
		return pattern
	}

	function clusterOf(path: string): string {
		let cluster = clustered.get(path)
		if (cluster === undefined) {
			cluster = clusterPath(path, wildcard)
			clustered.set(path, cluster)
		}
		return cluster
	}

	function trieOf(service: string): PathTrie {
		let trie = tries.get(service)
		if (trie === undefined) {
			trie = createPathTrie(settings.maxPathSegmentCardinality, wildcard)
			tries.set(service, trie)
		}
		return trie
	}

	return {
		ignored(path) {
			if (settings.ignoredPatterns.length === 0) return 'none'
			let hit = ignored.get(path)
			if (hit === undefined) {
				hit = ignoredPatterns(path) !== ''
				ignored.set(path, hit)
			}
			return hit ? ignoreMode : 'none'
		},
		routeOf(service, path) {
			const pattern = patternOf(path)
			if (pattern !== '') return pattern
			switch (unmatched) {
				case 'unset':
					return ''
				case 'path':
					return path
				case 'wildcard':
					return WILDCARD_ROUTE
				case 'heuristic':
					return clusterOf(path)
				case 'low-cardinality':
					return settings.maxPathSegmentCardinality > 0
						? trieOf(service).insert(clusterOf(path))
						: clusterOf(path)
			}
		},
	}
}
