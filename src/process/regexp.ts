import type { Glob } from './glob.ts'

/**
 * A regular expression of Go's syntax, as the old `services` selectors take them: it may match anywhere in the text.
 * What Go has and JavaScript writes otherwise is translated; the rest of both is the same. The pattern is the user's own
 * and the texts are paths and command lines, so that a slow one is no way in.
 */
export function compileRegexp(pattern: string): Glob | { readonly error: string } {
	const head = /^\(\?([imsU]+)\)/.exec(pattern)
	const flags = [...new Set(head?.[1] ?? '')]
	if (flags.includes('U')) return { error: 'the flag U is not supported' }
	const body = pattern
		.slice(head?.[0].length ?? 0)
		.replaceAll('(?P<', '(?<')
		.replaceAll('\\A', '^')
		.replaceAll('\\z', '$')
	try {
		const regexp = new RegExp(body, flags.join(''))
		return { pattern, matches: (text) => regexp.test(text) }
	} catch (reason) {
		return { error: reason instanceof Error ? reason.message : String(reason) }
	}
}
