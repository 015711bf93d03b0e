/**
 * Attribute keys are interned objects: the OTLP writer keeps each key's encoded bytes on it, so no key is encoded twice.
 * Make keys once, at module level, through `attributeKey`.
 */
export interface AttributeKey {
	readonly name: string
	/** Encoded `KeyValue.key` field (tag, length, bytes), filled lazily by the OTLP writer. */
	encoded: Uint8Array | undefined
}

export type AttributeValue = string | number | boolean | readonly string[] | Double

/** A number that must travel as double even when it is integral; plain numbers travel as int when integral. */
export interface Double {
	readonly double: number
}

/** Alternating key and value: `[key, value, key, value, …]`. One flat array a span: no object per attribute. */
export type AttributeList = (AttributeKey | AttributeValue)[]

const interned = new Map<string, AttributeKey>()

/** The one key object of this name. */
export function attributeKey(name: string): AttributeKey {
	let key = interned.get(name)
	if (key === undefined) {
		key = { name, encoded: undefined }
		interned.set(name, key)
	}
	return key
}

/** The value of `key`, or undefined. Linear: for tests and cold paths. */
export function findAttribute(list: AttributeList, key: AttributeKey): AttributeValue | undefined {
	for (let i = 0; i < list.length; i += 2) if (list[i] === key) return list[i + 1] as AttributeValue
	return undefined
}
