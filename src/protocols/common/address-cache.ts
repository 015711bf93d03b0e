import { formatAddress } from '../../util/ip-address.ts'

/** Address texts by their four words; direct-mapped, so bounded, and the same address gives the same string object. */
export interface AddressCache {
	/** `word`: index of the first of four 32-bit words; `bytes` and `words` look at the same memory. */
	address(words: Uint32Array, bytes: Uint8Array, word: number): string
}

const SLOT_COUNT = 2048

export function createAddressCache(): AddressCache {
	const keys = new Uint32Array(SLOT_COUNT * 4)
	const texts: (string | undefined)[] = new Array(SLOT_COUNT).fill(undefined)
	return {
		address(words, bytes, word) {
			const a = words[word]!
			const b = words[word + 1]!
			const c = words[word + 2]!
			const d = words[word + 3]!
			let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35)
			hash = Math.imul(hash ^ d, 0x27d4eb2f)
			const slot = (hash ^ (hash >>> 15)) & (SLOT_COUNT - 1)
			const key = slot * 4
			const known = texts[slot]
			if (
				known !== undefined &&
				keys[key] === a &&
				keys[key + 1] === b &&
				keys[key + 2] === c &&
				keys[key + 3] === d
			)
				return known
			const text = formatAddress(bytes, word * 4)
			keys[key] = a
			keys[key + 1] = b
			keys[key + 2] = c
			keys[key + 3] = d
			texts[slot] = text
			return text
		},
	}
}
