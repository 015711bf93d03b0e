import { FilterParser } from './json-path-filter.ts'
import { PathReader } from './json-path-reader.ts'
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
			const fragment = this.#next(out.at(-1))
			if (fragment === undefined) return out
			out.push(fragment)
		}
	}

	/** The fragment that follows `above`; undefined where none begins. */
	#next(above: Fragment | undefined): Fragment | undefined {
		const reader: PathReader = this.#reader
		const start = reader.match(/[$@]/y)
		// One in the middle ends the path, and counts as read.
		if (start !== '') return above === undefined ? { kind: start === '$' ? 'root' : 'current' } : undefined
		if (reader.match(/\.?\*/y) !== '') return { kind: 'wildcard' }
		if (reader.match(/\.\./y) !== '') return { kind: 'descent' }
		if (reader.match(/\[/y) !== '') return this.#brackets()
		const dot = reader.match(/\./y) !== ''
		if (!dot && above !== undefined && above.kind !== 'descent') return undefined
		const name = reader.name()
		if (name !== '') return { kind: 'child', name }
		if (!dot) return undefined
		const byte = reader.byte ?? reader.fail('not terminated')
		reader.at++
		reader.fail(`an expression fragment can not start with a '${byte}'`)
	}

	/** A star, a filter, a slice, or keys: of one it is the child or element, of several all of them. */
	#brackets(): Fragment {
		const reader: PathReader = this.#reader
		if (reader.isAtEnd) reader.fail('not terminated')
		reader.spaces()
		if (reader.match(/\?/y) !== '') return this.#filter()
		if (reader.match(/:/y) !== '') return this.#slice(0)
		if (reader.match(/\*/y) !== '') {
			if (reader.take() !== ']') reader.fail('not terminated')
			return { kind: 'wildcard' }
		}
		const keys = [this.#key() ?? reader.fail('parse error')]
		let mark = reader.take()
		if (mark === ',' && reader.isAtEnd) reader.fail('not terminated')
		for (; mark === ','; mark = reader.take()) {
			const key = this.#key()
			if (key === undefined) {
				reader.take()
				reader.fail('invalid union syntax')
			}
			keys.push(key)
		}
		const [only] = keys
		if (keys.length > 1) {
			if (mark === ']') return { kind: 'union', members: keys }
			reader.fail('invalid union syntax')
		}
		if (mark === ']')
			return typeof only === 'string' ? { kind: 'child', name: only } : { kind: 'nth', index: only! }
		if (mark === ':' && typeof only === 'number') return this.#slice(only)
		reader.fail('invalid bracket fragment')
	}

	/** A quoted name or an index. */
	#key(): string | number | undefined {
		const reader: PathReader = this.#reader
		reader.spaces()
		const quote = reader.match(/['"]/y)
		if (quote !== '') return reader.text(quote)
		return /[-0-9]/.test(reader.byte ?? '') ? reader.integer() : undefined
	}

	/** What stands behind the first colon: up to two numbers, each of which may lack. */
	#slice(start: number): Fragment {
		const reader: PathReader = this.#reader
		const rest: (number | undefined)[] = []
		do {
			if (reader.isAtEnd) reader.fail('not terminated')
			const mark = reader.peek()
			const lacks = mark === ']' || (mark === ':' && rest.length === 0)
			rest.push(lacks ? undefined : reader.integer())
		} while (rest.length === 1 && reader.peek() === ':' && reader.match(/:/y) !== '')
		if (reader.take() !== ']') reader.fail('invalid slice syntax')
		const [end, step = 1] = rest
		return { kind: 'slice', start, end, step }
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
