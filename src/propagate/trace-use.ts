/**
 * Which trace ids were already exported with a span that the kernel made a child of another. Answers "no" only when that is
 * certain: a wrong "yes" costs a join, a wrong "no" would export a span into the wrong trace.
 *
 * Two generations of a bit field, two bits an id (ids are random: their own words are the hash). When the young one has
 * taken its share it becomes the old one; asked about something that began before the old one did, the answer is "yes".
 */
export interface TraceUse {
	note(ids: Uint8Array, at: number): void
	/** `sinceNs`: when the span that asks began; nobody can have used its trace id before. */
	mayBeUsed(ids: Uint8Array, at: number, sinceNs: number): boolean
	/** Called once per batch. */
	advance(timeNs: number): void
}

const BITS = 1 << 20
/** With two bits each this keeps wrong answers under 3 %. */
const IDS_PER_GENERATION = 1 << 16

export function createTraceUse(): TraceUse {
	let young = new Uint32Array(BITS >> 5)
	let old = new Uint32Array(BITS >> 5)
	let youngSinceNs = 0
	let oldSinceNs = 0
	let noted = 0

	return {
		note(ids, at) {
			const a = wordAt(ids, at) & (BITS - 1)
			const b = wordAt(ids, at + 8) & (BITS - 1)
			young[a >> 5]! |= 1 << (a & 31)
			young[b >> 5]! |= 1 << (b & 31)
			noted++
		},
		mayBeUsed(ids, at, sinceNs) {
			if (sinceNs < oldSinceNs) return true
			const a = wordAt(ids, at) & (BITS - 1)
			const b = wordAt(ids, at + 8) & (BITS - 1)
			const maskA = 1 << (a & 31)
			const maskB = 1 << (b & 31)
			return (
				((young[a >> 5]! & maskA) !== 0 && (young[b >> 5]! & maskB) !== 0) ||
				((old[a >> 5]! & maskA) !== 0 && (old[b >> 5]! & maskB) !== 0)
			)
		},
		advance(timeNs) {
			if (noted < IDS_PER_GENERATION) return
			const free = old
			old = young
			oldSinceNs = youngSinceNs
			young = free.fill(0)
			youngSinceNs = timeNs
			noted = 0
		},
	}
}

function wordAt(ids: Uint8Array, at: number): number {
	return ids[at]! | (ids[at + 1]! << 8) | (ids[at + 2]! << 16)
}
