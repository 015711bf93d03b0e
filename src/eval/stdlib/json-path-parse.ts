import { FilterParser } from './json-path-filter.ts'
import { isNameByte, PathReader } from './json-path-reader.ts'
import type { Fragment } from './json-path-syntax.ts'

export function parsePath(path: string): readonly Fragment[] {
	const parser = new PathParser(new PathReader(path))
	return parser.parse()
}

class PathParser {
	readonly #reader: PathReader
	readonly #filters: FilterParser

	constructor(reader: PathReader) {
		this.#reader = reader
		this.#filters = new FilterParser(reader, () => this.#path())
	}

	parse(): readonly Fragment[] {
		const reader: PathReader = this.#reader
		const path = this.#path()
		if (!reader.isAtEnd) reader.fail('parse error')
		return path
	}

	#path(): readonly Fragment[] {
		const out: Fragment[] = []
		for (;;) {
			const fragment = this.#fragment(out.length === 0, out.at(-1)?.kind === 'descent')
			if (fragment === undefined) return out
			out.push(fragment)
		}
	}

	#fragment(first: boolean, afterDescent: boolean): Fragment | undefined {
		const reader: PathReader = this.#reader
		const byte = reader.byte
		if (byte === undefined) return undefined
		reader.at++
		switch (byte) {
			case '$':
				return first ? { kind: 'root' } : undefined
			case '@':
				return first ? { kind: 'current' } : undefined
			case '.':
				return this.#afterDot()
			case '*':
				return { kind: 'wildcard' }
			case '[':
				return this.#bracket()
			default:
				reader.at--
				return isNameByte(byte) && (first || afterDescent) ? this.#name() : undefined
		}
	}

	#afterDot(): Fragment {
		const reader: PathReader = this.#reader
		const byte = reader.byte
		if (byte === undefined) reader.fail('not terminated')
		if (byte === '*' || byte === '.') {
			reader.at++
			return { kind: byte === '*' ? 'wildcard' : 'descent' }
		}
		if (!isNameByte(byte)) {
			reader.at++
			reader.fail(`an expression fragment can not start with a '${byte}'`)
		}
		return this.#name()
	}

	#name(): Fragment {
		return { kind: 'child', name: this.#reader.name() }
	}

	#bracket(): Fragment {
		const reader: PathReader = this.#reader
		if (reader.isAtEnd) reader.fail('not terminated')
		const byte = reader.take()!
		if (byte === '*') {
			if (reader.take() !== ']') reader.fail('not terminated')
			return { kind: 'wildcard' }
		}
		if (byte === '?') return this.#filter()
		if (byte === ':') return this.#slice(0)
		if (byte === "'" || byte === '"') {
			const text = reader.text(byte)
			const next = reader.take()
			if (next === ']') return { kind: 'child', name: text }
			if (next === ',') return this.#union(text)
			reader.fail('invalid bracket fragment')
		}
		if (/[-0-9]/.test(byte)) {
			reader.at--
			const index = reader.integer()
			const next = reader.take()
			if (next === ']') return { kind: 'nth', index }
			if (next === ',') return this.#union(index)
			if (next === ':') return this.#slice(index)
			reader.fail('invalid bracket fragment')
		}
		reader.at--
		reader.fail('parse error')
	}

	#slice(start: number): Fragment {
		const reader: PathReader = this.#reader
		let end: number | undefined
		let step = 1
		if (reader.isAtEnd) reader.fail('not terminated')
		if (reader.peek() !== ':' && reader.peek() !== ']') end = reader.integer()
		if (reader.peek() === ':') {
			reader.at++
			if (reader.isAtEnd) reader.fail('not terminated')
			if (reader.peek() !== ']') step = reader.integer()
		}
		if (reader.take() !== ']') reader.fail('invalid slice syntax')
		return { kind: 'slice', start, end, step }
	}

	#union(first: string | number): Fragment {
		const reader: PathReader = this.#reader
		const members: (string | number)[] = [first]
		if (reader.isAtEnd) reader.fail('not terminated')
		for (;;) {
			const byte = reader.take()
			if (byte === "'" || byte === '"') members.push(reader.text(byte))
			else if (byte !== undefined && /[-0-9]/.test(byte)) {
				reader.at--
				members.push(reader.integer())
			} else reader.fail('invalid union syntax')
			const next = reader.take()
			if (next === ']') return { kind: 'union', members }
			if (next !== ',') reader.fail('invalid union syntax')
		}
	}

	#filter(): Fragment {
		const reader: PathReader = this.#reader
		if (reader.isAtEnd) reader.fail('not terminated')
		const test = this.#filters.equation()
		if (reader.peek() !== ']') reader.fail('not terminated')
		reader.at++
		return { kind: 'filter', test }
	}
}
