import type { AttributeList } from '../model/attributes.ts'
import type { FallbackCount } from '../model/exchange.ts'
import { DURATION_BUCKETS, durationBucket, SIZE_BUCKETS, sizeBucket } from './buckets.ts'

/**
 * One attribute set of one resource and side: the three histograms that share it. Counts and sums are doubles in typed
 * arrays: exact to 2^53.
 */
export class Series {
	readonly attributes: AttributeList
	/** Unix ms, fixed for the unbroken run. */
	readonly startMs: number
	readonly duration = new Float64Array(DURATION_BUCKETS)
	readonly requestSize = new Float64Array(SIZE_BUCKETS)
	/** Only exchanges whose response was seen. */
	readonly responseSize = new Float64Array(SIZE_BUCKETS)
	durationSumNs = 0
	requestSizeSum = 0
	responseSizeSum = 0

	constructor(attributes: AttributeList, startMs: number) {
		this.attributes = attributes
		this.startMs = startMs
	}

	add(durationNs: number, requestBody: number, responseBody: number, answered: boolean): void {
		this.duration[durationBucket(durationNs)]!++
		this.durationSumNs += durationNs
		this.requestSize[sizeBucket(requestBody)]!++
		this.requestSizeSum += requestBody
		if (!answered) return
		this.responseSize[sizeBucket(responseBody)]!++
		this.responseSizeSum += responseBody
	}

	/** The kernel's own sums, bucket by bucket: nothing is lost or estimated. */
	merge(counts: FallbackCount): void {
		addAll(this.duration, counts.duration)
		this.durationSumNs += counts.durationSumNs
		addAll(this.requestSize, counts.requestBody)
		this.requestSizeSum += counts.requestBodySum
		if (counts.status === 0) return
		addAll(this.responseSize, counts.responseBody)
		this.responseSizeSum += counts.responseBodySum
	}
}

function addAll(into: Float64Array, from: readonly number[]): void {
	const length = Math.min(into.length, from.length)
	for (let i = 0; i < length; i++) into[i]! += from[i]!
}
