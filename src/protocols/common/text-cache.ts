/**
 * Makes strings of captured bytes, and gives the same string object again for the same bytes: request targets, hosts and
 * the like repeat, and an interned string costs neither an allocation nor a hash in the maps that follow.
 * Direct-mapped and so bounded without bookkeeping: a colliding text takes the slot.
 */
export interface TextCache {
	/** Text of `bytes[at, at+length)`, UTF-8 with replacement characters where it is none. */
	text(bytes: Buffer, at: number, length: number): string
}

const SLOT_COUNT = 4096
/** Longer texts seldom repeat and would only push out those that do. */
const LONGEST = 160

export function createTextCache(): TextCache {
	const keys: (Uint8Array | undefined)[] = new Array(SLOT_COUNT).fill(undefined)
	const texts: string[] = new Array(SLOT_COUNT).fill('')
	return {
		text(bytes, at, length) {
			if (length === 0) return ''
			if (length > LONGEST) return decode(bytes, at, length)
			let hash = length
			for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
			const slot = (hash ^ (hash >>> 15)) & (SLOT_COUNT - 1)
			const key = keys[slot]
			if (key !== undefined && same(key, bytes, at, length)) return texts[slot]!
			const text = decode(bytes, at, length)
			keys[slot] = Uint8Array.prototype.slice.call(bytes, at, at + length)
			texts[slot] = text
			return text
		},
	}
}

function same(key: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
	if (key.length !== length) return false
	for (let i = 0; i < length; i++) if (key[i] !== bytes[at + i]) return false
	return true
}

function decode(bytes: Buffer, at: number, length: number): string {
	for (let i = at; i < at + length; i++) if (bytes[i]! > 0x7f) return bytes.toString('utf8', at, at + length)
	return bytes.toString('latin1', at, at + length)
}
