/**
 * Route patterns as a tree keyed by path segments, with the matching rules of Beyla: in each segment an exact child wins
 * and there is no way back from it, then the patterns in the order they were written (`{x}` and `:x` take anything, with
 * a literal prefix they need one character more), then a trailing `*` that takes the rest, its own parent included.
 */
interface Node {
	/** The pattern that ends here, as written; '' = none. */
	route: string
	/** The pattern `…/*` that ends here. */
	rest: string
	readonly exact: Map<string, Node>
	readonly variables: { readonly prefix: string; readonly node: Node }[]
}

/** The pattern's text, '' = none matches. */
export type PatternMatcher = (path: string) => string

export function createPatternMatcher(patterns: readonly string[]): PatternMatcher {
	const root = newNode()
	for (const pattern of patterns) add(root, segmentsOf(pattern), pattern)
	return (path) => {
		const query = path.indexOf('?')
		return find(root, segmentsOf(query < 0 ? path : path.slice(0, query)), 0)
	}
}

function newNode(): Node {
	return { route: '', rest: '', exact: new Map(), variables: [] }
}

function segmentsOf(path: string): string[] {
	return path.split('/').filter((segment) => segment !== '')
}

function add(root: Node, segments: readonly string[], pattern: string): void {
	let node = root
	for (const [i, segment] of segments.entries()) {
		if (segment === '*' && i === segments.length - 1) {
			if (node.rest === '') node.rest = pattern
			return
		}
		const prefix = variablePrefix(segment)
		let child: Node | undefined
		if (prefix === undefined) {
			child = node.exact.get(segment)
			if (child === undefined) node.exact.set(segment, (child = newNode()))
		} else {
			child = node.variables.find((variable) => variable.prefix === prefix)?.node
			if (child === undefined) node.variables.push({ prefix, node: (child = newNode()) })
		}
		node = child
	}
	if (node.route === '') node.route = pattern
}

/** The literal text before the variable, undefined when the segment has no variable. */
function variablePrefix(segment: string): string | undefined {
	if (segment === '*') return ''
	const colon = segment.indexOf(':')
	if (colon >= 0) return segment.slice(0, colon)
	const brace = segment.indexOf('{')
	return brace >= 0 && segment.endsWith('}') ? segment.slice(0, brace) : undefined
}

function find(node: Node, segments: readonly string[], at: number): string {
	if (at === segments.length) return node.route !== '' ? node.route : node.rest
	const segment = segments[at]!
	const exact = node.exact.get(segment)
	if (exact !== undefined) {
		const found = find(exact, segments, at + 1)
		return found !== '' ? found : node.rest
	}
	for (const { prefix, node: child } of node.variables) {
		if (!segment.startsWith(prefix) || (prefix !== '' && segment.length === prefix.length)) continue
		const found = find(child, segments, at + 1)
		if (found !== '') return found
	}
	return node.rest
}
