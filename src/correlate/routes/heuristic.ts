import { looksLikeWords } from './word-model.ts'

/** Path segments after the root that are kept; the rest is cut. */
const MAX_SLASHES = 10

/**
 * Beyla's URL clustering: segments that hold anything but letters, `-`, `_`, `.` and spaces, or that do not look like
 * words, become the wildcard. One odd character is forgiven as the second of a segment (`v1`, `k6-test-runs`).
 */
export function clusterPath(path: string, wildcard: string): string {
	let out = ''
	let segment = ''
	/** The segment is already known to be no word. */
	let replaced = false
	let slashes = 0
	for (let i = 0; i < path.length; i++) {
		const char = path[i]!
		if (char === '?' || char === '&' || char === '#') {
			// The last segment before a query is looked at by its characters only.
			return out + (replaced ? wildcard : segment)
		}
		if (char === '/') {
			out += judge(segment, replaced, wildcard)
			slashes++
			if (slashes === MAX_SLASHES) return out
			out += '/'
			segment = ''
			replaced = false
			continue
		}
		if (replaced) continue
		const code = path.charCodeAt(i)
		// A character beyond ASCII is several bytes: at most the first of them would be forgiven.
		if (!isAllowed(code) && (segment.length !== 1 || code > 0x7f)) replaced = true
		segment += char
	}
	return out + judge(segment, replaced, wildcard)
}

function judge(segment: string, replaced: boolean, wildcard: string): string {
	if (replaced) return wildcard
	return segment === '' || looksLikeWords(segment) ? segment : wildcard
}

function isAllowed(code: number): boolean {
	return (
		(code >= 0x61 && code <= 0x7a) ||
		(code >= 0x41 && code <= 0x5a) ||
		code === 0x2d ||
		code === 0x5f ||
		code === 0x2e ||
		code === 0x20
	)
}
