/** The candidate nearest to `word` by edit distance, or undefined when none is near enough to be a slip of the hand. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
	let best: string | undefined
	let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
	for (const candidate of candidates) {
		const distance = editDistance(word, candidate, bestDistance)
		if (distance < bestDistance) {
			best = candidate
			bestDistance = distance
		}
	}
	return best
}

/** Optimal string alignment distance (a swap of neighbours is one edit); `limit` when it is not below that. */
function editDistance(a: string, b: string, limit: number): number {
	if (Math.abs(a.length - b.length) >= limit) return limit
	let before: number[] = []
	let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
	for (let i = 1; i <= a.length; i++) {
		const row = [i]
		for (let j = 1; j <= b.length; j++) {
			const same = a[i - 1] === b[j - 1]
			let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
				cost = Math.min(cost, before[j - 2]! + 1)
			row.push(cost)
		}
		before = previous
		previous = row
	}
	return Math.min(previous[b.length]!, limit)
}
