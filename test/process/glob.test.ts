import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGlob } from '../../src/process/glob.ts'

function matches(pattern: string, text: string): boolean {
	const glob = compileGlob(pattern)
	if (!('matches' in glob)) throw new Error(glob.error)
	return glob.matches(text)
}

test.each([
	['*', '/usr/bin/node', true],
	['*node', '/usr/bin/node', true],
	['*node', '/usr/bin/nodejs', false],
	['/usr/*/node', '/usr/local/bin/node', true],
	['?ode', 'node', true],
	['?ode', 'ode', false],
	['{go,java}', 'java', true],
	['{go,java}', 'javac', false],
	['{*/obi,obi,*otelcol-contrib[!/]*}', '/x/otelcol-contrib-1', true],
	['{*/obi,obi,*otelcol-contrib[!/]*}', '/x/otelcol-contrib/run', false],
	['{a,{b,c}d}', 'cd', true],
	['[a-c]x', 'bx', true],
	['[!a-c]x', 'bx', false],
	['a\\*', 'a*', true],
	['a\\*', 'ab', false],
	['a.b', 'axb', false],
	['a,b', 'a,b', true],
	['(x)+', '(x)+', true],
	['', '', true],
	['node*', '/usr/bin/node', false],
])('glob %j on %j is %s', (pattern, text, expected) => {
	expect(matches(pattern, text)).toBe(expected)
})

test.each(['[ab', '{a,b', 'a\\', '[]', '[z-a]'])('the broken glob %j is refused with a reason', (pattern) => {
	expect(compileGlob(pattern)).toHaveProperty('error')
})

test('an escaped text matches itself and nothing longer', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
			const pattern = [...text].map((c) => `\\${c}`).join('')
			expect(matches(pattern, text)).toBe(true)
			expect(matches(pattern, `${text}x`)).toBe(false)
		}),
	)
})
