const SLOW_STRING = 96

/**
 * A growing buffer with the few protobuf primitives that the span writer needs. `length` is public and is moved by the
 * writer: lengths are patched in place, so that every message is written once, in one pass.
 */
export class WireBuffer {
	bytes: Buffer
	length = 0
	#view: DataView

	constructor(capacity: number) {
		this.bytes = Buffer.allocUnsafeSlow(capacity)
		this.#view = new DataView(this.bytes.buffer)
	}

	/** Room for `count` more bytes. Call before writing; the writers below do not check. */
	reserve(count: number): void {
		if (this.length + count <= this.bytes.length) return
		const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + count))
		grown.set(this.bytes.subarray(0, this.length))
		this.bytes = grown
		this.#view = new DataView(grown.buffer)
	}

	byte(value: number): void {
		this.bytes[this.length++] = value
	}

	/** Unsigned varint below 2^32. */
	varint32(value: number): void {
		let rest = value
		while (rest > 0x7f) {
			this.bytes[this.length++] = (rest & 0x7f) | 0x80
			rest >>>= 7
		}
		this.bytes[this.length++] = rest
	}

	/** int64 varint of any whole number in range; negative ones take ten bytes. Needs 10 bytes of room. */
	varint64(value: number): void {
		if (value >= 0 && value <= 0xffff_ffff) {
			this.varint32(value)
			return
		}
		let high = Math.floor(value / 0x1_0000_0000) >>> 0
		let low = value >>> 0
		while (high !== 0 || low > 0x7f) {
			this.bytes[this.length++] = (low & 0x7f) | 0x80
			low = ((low >>> 7) | (high << 25)) >>> 0
			high >>>= 7
		}
		this.bytes[this.length++] = low
	}

	uint32(value: number): void {
		this.#view.setUint32(this.length, value, true)
		this.length += 4
	}

	double(value: number): void {
		this.#view.setFloat64(this.length, value, true)
		this.length += 8
	}

	raw(source: Uint8Array, from = 0, to = source.length): void {
		const at = this.length
		// A call into the engine costs more than this loop for the sizes of ids and keys.
		if (to - from <= 48) for (let i = from, p = at; i < to; i++) this.bytes[p++] = source[i]!
		else this.bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), at)
		this.length = at + to - from
	}

	/** One-byte tag, length, UTF-8. Makes its own room. */
	string(tag: number, text: string): void {
		const count = text.length
		this.reserve(count * 3 + 6)
		if (this.shortAscii(this.length + 2, text)) {
			this.bytes[this.length] = tag
			this.bytes[this.length + 1] = count
			this.length += 2 + count
			return
		}
		const size = Buffer.byteLength(text)
		this.byte(tag)
		this.varint32(size)
		this.utf8(text)
	}

	/** UTF-8 without a length. Room must be there. */
	utf8(text: string): void {
		this.length += this.bytes.write(text, this.length)
	}

	/** Writes `text` at `at` when it is short ASCII (`length` is not moved); else leaves rubbish and says false. */
	shortAscii(at: number, text: string): boolean {
		const count = text.length
		if (count > SLOW_STRING) return false
		const bytes = this.bytes
		for (let i = 0; i < count; i++) {
			const code = text.charCodeAt(i)
			if (code > 0x7f) return false
			bytes[at + i] = code
		}
		return true
	}

	/**
	 * Puts the length of the message that began at `at + width` into the `width` bytes kept free at `at`, moving the
	 * message where the guess was wrong. Canonical: shortest form.
	 */
	patchLength(at: number, width: number): void {
		const start = at + width
		const size = this.length - start
		const needed = varintSize(size)
		if (needed !== width) {
			this.reserve(needed)
			this.bytes.copyWithin(at + needed, start, this.length)
		}
		this.length = at
		this.varint32(size)
		this.length += size
	}

	/** A copy of its own, exactly as long. */
	copy(): Uint8Array {
		return Uint8Array.prototype.slice.call(this.bytes, 0, this.length)
	}
}

/** Bytes of the varint of a length. */
export function varintSize(value: number): number {
	return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
}
