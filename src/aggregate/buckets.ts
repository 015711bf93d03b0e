import { DURATION_BOUNDS_S, SIZE_BOUNDS_BYTES } from '../model/semconv.ts'

/** Bounds are upper-inclusive; one bucket more than bounds. */
export const DURATION_BUCKETS = DURATION_BOUNDS_S.length + 1
export const SIZE_BUCKETS = SIZE_BOUNDS_BYTES.length + 1

const durationBoundsNs = Float64Array.from(DURATION_BOUNDS_S, (seconds) => Math.round(seconds * 1e9))
const sizeBounds = Float64Array.from(SIZE_BOUNDS_BYTES)

export function durationBucket(ns: number): number {
	let i = 0
	while (i < durationBoundsNs.length && ns > durationBoundsNs[i]!) i++
	return i
}

export function sizeBucket(bytes: number): number {
	let i = 0
	while (i < sizeBounds.length && bytes > sizeBounds[i]!) i++
	return i
}
