import { byteOrderMark, runeAt, runeError } from './runes.ts'
import type { Source } from './source.ts'

/**
 * Complains about characters that cannot be read (NUL, bytes that are not UTF-8, a byte order mark inside). Alloy reads one
 * character ahead and complains the moment it reads such a one, again when it reads it a second time; `upTo` and `again`
 * reproduce that order among its other complaints.
 */
export class Unreadable {
	readonly #bytes: string
	readonly #report: (offset: number, message: string) => void
	/** Everything before this offset has been looked at. */
	#seen = 0

	constructor(source: Source, report: (offset: number, message: string) => void) {
		this.#bytes = source.bytes
		this.#report = report
	}

	/** Whether a source can hold none: all is ASCII and nothing is NUL. */
	static cannotBeIn(source: Source): boolean {
		return source.ascii && !source.bytes.includes('\0')
	}

	/** Up to the character at `offset`, which is looked at too. */
	upTo(offset: number): void {
		const bytes = this.#bytes
		let at = this.#seen
		for (const last = Math.min(offset, bytes.length - 1); at <= last; ) {
			const packed = runeAt(bytes, at)
			const message = complaint(packed >>> 3, packed & 7, at)
			if (message !== undefined) this.#report(at, message)
			at += packed & 7
		}
		this.#seen = at
	}

	/** What comes from `offset` on will be read a second time. */
	again(offset: number): void {
		this.#seen = offset
	}

	/** Nothing more will be read. */
	stop(): void {
		this.#seen = this.#bytes.length + 1
	}
}

function complaint(rune: number, width: number, at: number): string | undefined {
	if (rune === 0) return 'illegal character NUL'
	if (rune === runeError && width === 1) return 'illegal UTF-8 encoding'
	return rune === byteOrderMark && at > 0 ? 'illegal byte order mark' : undefined
}
