import { GenerationCache } from '../../util/generation-cache.ts'
import { LETTER_PAIRS } from './letter-pairs.ts'

/** Below this mean probability of its letter pairs a text is no word. */
const THRESHOLD = 0.015099318
const LETTERS = 27
const WORDS_KEPT = 8192

/** Natural logarithms of the transition probabilities. */
const logs = Float64Array.from(
	LETTER_PAIRS.flatMap((row) =>
		Array.from({ length: LETTERS }, (_, i) => -Number.parseInt(row.slice(i * 2, i * 2 + 2), 36) / 100),
	),
)
const known = new GenerationCache<string, boolean>(WORDS_KEPT)

/** Splits on `-`, `_` and `.`: each piece must look like a word. An empty first piece does not. */
export function looksLikeWords(segment: string): boolean {
	let answer = known.get(segment)
	if (answer === undefined) {
		const pieces = segment.split(/[-_.]/)
		answer = pieces[0] !== '' && pieces.every(looksLikeWord)
		known.set(segment, answer)
	}
	return answer
}

function looksLikeWord(piece: string): boolean {
	let sum = 0
	let pairs = 0
	let previous = -1
	for (let i = 0; i < piece.length; i++) {
		const letter = letterIndex(piece.charCodeAt(i))
		if (letter < 0) continue
		if (previous >= 0) {
			sum += logs[previous * LETTERS + letter]!
			pairs++
		}
		previous = letter
	}
	return pairs === 0 || Math.exp(sum / pairs) > THRESHOLD
}

/** a–z without regard to case, space last; -1 = not in the alphabet, passed over. */
function letterIndex(code: number): number {
	if (code >= 0x61 && code <= 0x7a) return code - 0x61
	if (code >= 0x41 && code <= 0x5a) return code - 0x41
	return code === 0x20 ? 26 : -1
}
