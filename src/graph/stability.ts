import type { Stability } from './component.ts'

const rank: Readonly<Record<Stability, number>> = {
	experimental: 0,
	'public-preview': 1,
	'generally-available': 2,
}

export const stabilityLevels: readonly Stability[] = ['experimental', 'public-preview', 'generally-available']

/** Why something of this level may not be used, in Alloy's words; undefined when it may. */
export function stabilityProblem(what: string, has: Stability, minimum: Stability): string | undefined {
	if (rank[has] >= rank[minimum]) return undefined
	return `${what} is at stability level "${has}", which is below the minimum allowed stability level "${minimum}". Use --stability.level command-line flag to enable "${has}" features`
}
