import type { AttributeKey, AttributeList, AttributeValue } from '../model/attributes.ts'
import type { Resource } from '../model/resource.ts'
import { varintSize, WireBuffer } from './wire-buffer.ts'

const TWO_63 = 2 ** 63
const KEY = 0x0a
const VALUE = 0x12
const STRING_VALUE = 0x0a
const BOOL_VALUE = 0x10
const INT_VALUE = 0x18
const DOUBLE_VALUE = 0x21
const ARRAY_VALUE = 0x2a

/** Writes each pair as a `KeyValue` under the one-byte tag `tag`. */
export function writeAttributes(out: WireBuffer, tag: number, list: AttributeList): void {
	for (let i = 0; i + 1 < list.length; i += 2) {
		writeAttribute(out, tag, list[i] as AttributeKey, list[i + 1] as AttributeValue)
	}
}

/** The `Resource` message, made once for each resource object. */
export function resourceBytes(resource: Resource): Uint8Array {
	if (resource.encoded === undefined) {
		const out = new WireBuffer(512)
		writeAttributes(out, 0x0a, resource.attributes)
		resource.encoded = out.copy()
	}
	return resource.encoded
}

function writeAttribute(out: WireBuffer, tag: number, key: AttributeKey, value: AttributeValue): void {
	const name = key.encoded ?? encodeKey(key)
	if (typeof value === 'string') {
		writeString(out, tag, name, value)
		return
	}
	out.reserve(name.length + 24)
	const start = out.length
	out.byte(tag)
	// One byte is enough for the lengths of nearly all keys with a number; patchLength mends the rest.
	out.byte(0)
	out.raw(name)
	out.byte(VALUE)
	const valueAt = out.length
	out.byte(0)
	writeOther(out, value)
	out.patchLength(valueAt, 1)
	out.patchLength(start + 1, 1)
}

/** The common case, all lengths in one byte; falls back to a measured write. */
function writeString(out: WireBuffer, tag: number, name: Uint8Array, value: string): void {
	const count = value.length
	out.reserve(count * 3 + name.length + 24)
	const start = out.length
	const size = name.length + count + 4
	const text = start + 2 + name.length + 4
	if (size < 0x80 && out.shortAscii(text, value)) {
		const bytes = out.bytes
		bytes[start] = tag
		bytes[start + 1] = size
		out.length = start + 2
		out.raw(name)
		bytes[text - 4] = VALUE
		bytes[text - 3] = count + 2
		bytes[text - 2] = STRING_VALUE
		bytes[text - 1] = count
		out.length = text + count
		return
	}
	const textSize = Buffer.byteLength(value)
	const valueSize = 1 + varintSize(textSize) + textSize
	out.byte(tag)
	out.varint32(name.length + 1 + varintSize(valueSize) + valueSize)
	out.raw(name)
	out.byte(VALUE)
	out.varint32(valueSize)
	out.byte(STRING_VALUE)
	out.varint32(textSize)
	out.utf8(value)
}

function writeOther(out: WireBuffer, value: Exclude<AttributeValue, string>): void {
	if (typeof value === 'number') {
		// As the reference encoder: whole numbers in the range of int64 are ints.
		if (Number.isInteger(value) && value >= -TWO_63 && value < TWO_63) {
			out.byte(INT_VALUE)
			out.varint64(value)
		} else writeDouble(out, value)
	} else if (typeof value === 'boolean') {
		out.byte(BOOL_VALUE)
		out.byte(value ? 1 : 0)
	} else if ('double' in value) writeDouble(out, value.double)
	else {
		out.byte(ARRAY_VALUE)
		const at = out.length
		out.byte(0)
		for (const item of value) {
			out.reserve(12)
			out.byte(0x0a)
			const itemAt = out.length
			out.byte(0)
			out.string(STRING_VALUE, item)
			out.patchLength(itemAt, 1)
		}
		out.patchLength(at, 1)
	}
}

function writeDouble(out: WireBuffer, value: number): void {
	out.byte(DOUBLE_VALUE)
	out.double(value)
}

function encodeKey(key: AttributeKey): Uint8Array {
	const out = new WireBuffer(key.name.length * 3 + 8)
	out.string(KEY, key.name)
	key.encoded = out.copy()
	return key.encoded
}
