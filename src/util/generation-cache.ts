/**
 * A bounded map for the hot path: two generations of a plain Map. When the young one is full it becomes the old one, and
 * what is still used is carried over on the next hit. Holds at most 2 × `limit` entries; one lookup on a hit.
 */
export class GenerationCache<Key, Value extends NonNullable<unknown>> {
	#young = new Map<Key, Value>()
	#old = new Map<Key, Value>()
	readonly #limit: number

	constructor(limit: number) {
		this.#limit = limit
	}

	get(key: Key): Value | undefined {
		const value = this.#young.get(key)
		if (value !== undefined) return value
		const older = this.#old.get(key)
		if (older !== undefined) this.set(key, older)
		return older
	}

	set(key: Key, value: Value): void {
		if (this.#young.size >= this.#limit) {
			this.#old = this.#young
			this.#young = new Map()
		}
		this.#young.set(key, value)
	}

	get size(): number {
		return this.#young.size + this.#old.size
	}
}
