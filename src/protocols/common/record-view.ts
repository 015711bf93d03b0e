import type { Exchange, UnreadableConnection } from '../../model/exchange.ts'

/** One drained batch seen as bytes and as 32-bit words (little-endian host order). Valid during one `decode` call. */
export interface RecordView {
	readonly bytes: Buffer
	readonly words: Uint32Array
	/** Ids of this batch's exchanges, `EXCHANGE_ID_BYTES` each: owned by the batch, outlives the drain buffer. */
	readonly ids: Uint8Array
	readonly idWords: Uint32Array
}

/** Why a record gave nothing. */
export type Malformed = { readonly malformed: string }

/** Turns records of one kind into model objects. Never throws, whatever the bytes. */
export interface RecordParser {
	/** `enum vor_record_kind`. */
	readonly kind: number
	/** `at`, `size`: the record in bytes, inside the batch, at least a record header; `idsAt`: where to put its ids. */
	parse(
		view: RecordView,
		at: number,
		size: number,
		idsAt: number,
	): Exchange | UnreadableConnection | Malformed
	readonly gives: 'exchange' | 'unreadable'
}

/** A 64-bit number at a word index. Exact to 2^53. */
export function readU64(words: Uint32Array, word: number): number {
	return words[word + 1]! * 4294967296 + words[word]!
}

/**
 * Looks at the bytes as words. A batch that does not start on a word boundary, or whose host is not little-endian, is
 * copied: rare, and the readers stay simple.
 */
export function viewOf(bytes: Uint8Array, length: number, ids: Uint8Array): RecordView {
	const usable = Math.min(length, bytes.length)
	const aligned = (bytes.byteOffset & 3) === 0 && (usable & 3) === 0
	let source = bytes
	if (!aligned) {
		source = new Uint8Array((usable + 3) & ~3)
		source.set(bytes.subarray(0, usable))
	}
	return {
		bytes: Buffer.from(source.buffer, source.byteOffset, usable),
		words: new Uint32Array(source.buffer, source.byteOffset, (usable + 3) >> 2),
		ids,
		idWords: new Uint32Array(ids.buffer, ids.byteOffset, ids.length >> 2),
	}
}
