import type { ClockOffset } from '../model/batch.ts'

const TWO_32 = 0x1_0000_0000

/**
 * Adds the clock offset to boot-clock times as two 32-bit halves: exact to the last nanosecond that the number holds, and
 * without BigInt. One object a writer; `start` once a batch, then `add` and read `high` and `low`.
 */
export class UnixTime {
	high = 0
	low = 0
	#offsetHigh = 0
	#offsetLow = 0

	start(offset: ClockOffset): void {
		// seconds × 1e9 does not fit 53 bits: the upper part of the seconds is multiplied apart and moved up 16 bits.
		const upper = Math.floor(offset.seconds / 0x1_0000)
		const fromLower = (offset.seconds - upper * 0x1_0000) * 1e9 + offset.nanos
		const fromUpper = upper * 1e9
		const upperHigh = Math.floor(fromUpper / 0x1_0000)
		const upperLow = (fromUpper - upperHigh * 0x1_0000) * 0x1_0000
		const lowerHigh = Math.floor(fromLower / TWO_32)
		const low = upperLow + (fromLower - lowerHigh * TWO_32)
		this.#offsetLow = low >>> 0
		this.#offsetHigh = (upperHigh + lowerHigh + (low >= TWO_32 ? 1 : 0)) >>> 0
	}

	add(bootNs: number): void {
		// Division by a power of two and the subtraction are exact in a double, also above 2^53.
		const high = Math.floor(bootNs / TWO_32)
		const low = this.#offsetLow + (bootNs - high * TWO_32)
		this.low = low >>> 0
		this.high = (this.#offsetHigh + high + (low >= TWO_32 ? 1 : 0)) >>> 0
	}
}
