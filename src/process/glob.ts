/**
 * Globs as Beyla's selectors take them (gobwas without separators): `*` and `**` any run, `?` one character, `[abc]`,
 * `[a-z]`, `[!abc]`, `{a,b}` (nests), `\` takes the next character as it is. The whole text must match.
 */
export interface Glob {
	readonly pattern: string
	matches(text: string): boolean
}

/** The glob, or what is wrong with it. */
export function compileGlob(pattern: string): Glob | { readonly error: string } {
	const translated = translate(pattern)
	if (typeof translated !== 'string') return translated
	const regexp = new RegExp(`^(?:${translated})$`, 'su')
	return { pattern, matches: (text) => regexp.test(text) }
}

function translate(pattern: string): string | { error: string } {
	const characters = [...pattern]
	let out = ''
	let depth = 0
	for (let i = 0; i < characters.length; i++) {
		const c = characters[i] as string
		switch (c) {
			case '*':
				while (characters[i + 1] === '*') i++
				out += '.*'
				break
			case '?':
				out += '.'
				break
			case '\\': {
				const next = characters[++i]
				if (next === undefined) return { error: 'ends with a lone backslash' }
				out += quote(next)
				break
			}
			case '[': {
				const list = characterList(characters, i)
				if ('error' in list) return list
				out += list.regexp
				i = list.end
				break
			}
			case '{':
				depth++
				out += '(?:'
				break
			case '}':
				if (depth === 0) out += '\\}'
				else {
					depth--
					out += ')'
				}
				break
			case ',':
				out += depth > 0 ? '|' : ','
				break
			default:
				out += quote(c)
		}
	}
	return depth > 0 ? { error: 'a { without its }' } : out
}

/** `[…]` from `at`: a list of characters or a single range, as gobwas takes them, and both mixed. */
function characterList(
	characters: readonly string[],
	at: number,
): { regexp: string; end: number } | { error: string } {
	let i = at + 1
	const negated = characters[i] === '!'
	if (negated) i++
	let body = ''
	for (; i < characters.length && characters[i] !== ']'; i++) {
		const c = characters[i] as string
		if (c === '\\' && characters[i + 1] !== undefined) body += quoteInList(characters[++i] as string)
		else if (characters[i + 1] === '-' && characters[i + 2] !== undefined && characters[i + 2] !== ']') {
			const high = characters[i + 2] as string
			if (high < c) return { error: `the range ${c}-${high} is upside down` }
			body += `${quoteInList(c)}-${quoteInList(high)}`
			i += 2
		} else body += quoteInList(c)
	}
	if (i >= characters.length) return { error: 'a [ without its ]' }
	if (body === '') return { error: 'an empty [ ]' }
	return { regexp: `[${negated ? '^' : ''}${body}]`, end: i }
}

function quote(c: string): string {
	return /[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c
}

function quoteInList(c: string): string {
	return /[\\^$.*+?()[\]{}|/-]/.test(c) ? `\\${c}` : c
}
