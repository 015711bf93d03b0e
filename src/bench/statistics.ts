/** The value at place `q` (0 to 1) of the sorted values; NaN of none. */
export const quantile = (values: readonly number[], q: number): number => {
	const sorted = [...values].sort((a, b) => a - b)
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

/** Of an even count the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
	const sorted = Float64Array.from(values).sort()
	const middle = sorted.length >> 1
	const upper = sorted[middle] ?? Number.NaN
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** What is told of repeated measurements of one thing. */
export interface Summary {
	readonly median: number
	readonly p10: number
	/** 95 % interval of the median. */
	readonly low: number
	readonly high: number
	readonly count: number
}

const RESAMPLES = 2000

/**
 * 95 % percentile bootstrap of the median: how far it moves when the measurements are drawn again out of themselves. The
 * draws are the same for the same values, so that a report can be made again from its figures.
 */
export function bootstrapMedian(values: readonly number[]): { low: number; high: number } {
	if (values.length === 0) return { low: Number.NaN, high: Number.NaN }
	const random = generator(values.length)
	const draw = new Array<number>(values.length)
	const medians = new Float64Array(RESAMPLES)
	for (let i = 0; i < RESAMPLES; i++) {
		for (let j = 0; j < draw.length; j++) draw[j] = values[Math.floor(random() * values.length)] as number
		medians[i] = median(draw)
	}
	medians.sort()
	return {
		low: medians[Math.floor(RESAMPLES * 0.025)] as number,
		high: medians[Math.ceil(RESAMPLES * 0.975) - 1] as number,
	}
}

export function summarise(values: readonly number[]): Summary {
	return {
		median: median(values),
		p10: quantile(values, 0.1),
		...bootstrapMedian(values),
		count: values.length,
	}
}

/** The interval leaves out 0: that there is a difference, and which way, is more than noise. */
export const isToldFromZero = ({ low, high }: Pick<Summary, 'low' | 'high'>): boolean => low > 0 || high < 0

/** Mulberry32: small, and good enough to draw with. */
function generator(seed: number): () => number {
	let state = seed >>> 0
	return () => {
		state = (state + 0x6d2b79f5) >>> 0
		let t = state
		t = Math.imul(t ^ (t >>> 15), t | 1)
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296
	}
}
