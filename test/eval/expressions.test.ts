import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateText } from '../../src/eval/evaluate-text.ts'
import { fromNative } from '../../src/eval/native.ts'
import { printValue } from '../../src/eval/print.ts'
import { createScope } from '../../src/eval/scope.ts'
import { createStdlib, stdlibScope } from '../../src/eval/stdlib/index.ts'
import { optionalSecretValue, secretValue, type Value } from '../../src/eval/values.ts'
import { cpuMs } from '../helpers/cpu-time.ts'

const stdlib = stdlibScope(createStdlib({ HOME: '/home/x' }))
const scope = createScope(
	new Map<string, Value>([
		['foobar', fromNative(42)],
		['obj', fromNative({ a: 1, b: [1, 'x', true] })],
		['list', fromNative([3, 1, 2])],
		['text', fromNative('hello')],
		['plain', optionalSecretValue('world', false)],
		['hidden', optionalSecretValue('secret', true)],
		['secret', secretValue('welcome')],
	]),
	stdlib,
)

function outcome(text: string): string {
	const result = evaluateText(text, scope)
	return result.ok ? printValue(result.value) : result.error
}

describe('expressions', () => {
	it("agree with what Alloy's evaluator answered to ours", () => {
		const path = fileURLToPath(new URL('../fixtures/language/expressions.jsonl', import.meta.url))
		const differences: string[] = []
		for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
			const wanted = JSON.parse(line) as { expr: string; value?: string; error?: string }
			const got = outcome(wanted.expr)
			if (got !== (wanted.value ?? wanted.error))
				differences.push(`${wanted.expr}\n  want ${wanted.value ?? wanted.error}\n  got  ${got}`)
		}
		expect(differences.join('\n')).toBe('')
	})

	it.each([
		['2 ^ 9223372036854775807', '0'],
		['3 ^ 1000000000000', '-2814749767106559'],
		['7 ^ -3', '7'],
		['0 ^ 0', '1'],
		['(-2) ^ 63', '-9223372036854775808'],
	])('%s is computed by squaring, with wrap-around', (text, value) => {
		const started = cpuMs()
		const expected = text.startsWith('3') ? String(BigInt.asIntN(64, powerOf3(1_000_000_000_000n))) : value
		expect(outcome(text)).toBe(expected)
		expect(cpuMs() - started).toBeLessThan(100)
	})

	it.each([
		['text + plain', '"helloworld"'],
		['"world" == plain', 'true'],
		['plain == hidden', 'false'],
		['text - hidden', '1:1: text should be one of [number] for binop -, got capsule'],
		['plain + secret', '(secret)'],
		['text + secret', '(secret)'],
		['string.to_lower(secret)', '1:17: secret secrets may not be converted into strings'],
		['string.format("%s", secret)', '1:1: string.format secrets may not be converted into strings'],
		['string.format("%v", [secret])', '1:1: string.format secrets may not be converted into strings'],
		['encoding.to_json({a = secret})', '1:1: encoding.to_json secrets may not be converted into strings'],
		['{a = [secret, hidden, plain]}', '{\n\ta = [(secret), (secret), "world"],\n}'],
		['convert.nonsensitive(secret)', '"welcome"'],
		['env("HOME")', '"/home/x"'],
	])('%s gives %s', (text, wanted) => {
		expect(outcome(text)).toBe(wanted)
	})

	it.each([
		'json_path("[\\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\\"]", "$[?(@ =~ /(a+)+$/)]")',
		'encoding.from_yaml("a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]")',
		'string.format("%1000000000d", 1)',
		'json_path("[[[[[[[[1]]]]]]]]", "$..*..*..*..*..*..*..*..*..*..*")',
	])('%s ends soon', (text) => {
		const started = cpuMs()
		outcome(text)
		expect(cpuMs() - started).toBeLessThan(2000)
	})

	it('evaluates a thousand levels of nesting', () => {
		expect(outcome(`${'['.repeat(1000)}1${']'.repeat(1000)}`)).toBe(`${'['.repeat(1000)}1${']'.repeat(1000)}`)
		expect(outcome(`${'('.repeat(1000)}1${')'.repeat(1000)}`)).toBe('1')
		expect(outcome(`${'1 + '.repeat(1000)}1`)).toBe('1001')
		expect(
			outcome(`encoding.from_json(string.join([${'"[",'.repeat(900)}${'"]",'.repeat(900)}], ""))`),
		).toMatch(/^\[+\]+$/)
	})

	it.each(['encoding.from_json', 'encoding.from_yaml'])(
		'%s of a very deep document is refused, not a stack overflow',
		(name) => {
			for (const depth of [400, 900, 5000, 200_000]) {
				const literal = JSON.stringify('['.repeat(depth) + ']'.repeat(depth))
				expect(outcome(`${name}(${literal})`)).toMatch(/^\[+\]+$|exceeded max depth|nested too deeply/)
				expect(outcome(`${name}(${literal}) == ${name}(${literal})`)).toMatch(
					/true|exceeded max depth|nested too deeply/,
				)
			}
			const indented = JSON.stringify(Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'))
			expect(typeof outcome(`${name}(${indented})`)).toBe('string')
		},
	)

	it('never throws, whatever the text', () => {
		const word = fc.constantFrom(
			'(',
			')',
			'[',
			']',
			'{',
			'}',
			',',
			'.',
			'+',
			'-',
			'*',
			'/',
			'%',
			'^',
			'!',
			'==',
			'<',
			'&&',
			'||',
			'=',
			' ',
			'1',
			'2.5',
			'"a"',
			'"%d"',
			'`b`',
			'true',
			'null',
			'obj',
			'list',
			'string.format',
			'json_path',
			'encoding.from_yaml',
			'coalesce',
			'a',
			'secret',
		)
		fc.assert(
			fc.property(fc.array(word, { maxLength: 24 }), (words) => {
				expect(typeof outcome(words.join(''))).toBe('string')
			}),
			{ numRuns: 2000 },
		)
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
				const literal = JSON.stringify(text)
				for (const name of [
					'encoding.from_json',
					'encoding.from_yaml',
					'encoding.from_base64',
					'encoding.url_decode',
					'string.format',
				])
					expect(typeof outcome(`${name}(${literal})`)).toBe('string')
				expect(typeof outcome(`json_path("{}", ${literal})`)).toBe('string')
			}),
			{ numRuns: 500 },
		)
	})
})

function powerOf3(exponent: bigint): bigint {
	let result = 1n
	let base = 3n
	for (let rest = exponent; rest > 0n; rest >>= 1n) {
		if (rest & 1n) result = (result * base) & ((1n << 64n) - 1n)
		base = (base * base) & ((1n << 64n) - 1n)
	}
	return result
}

describe('nesting', () => {
	const times = (text: string): string => text.repeat(1000)
	it.each([
		['arrays', `${times('[')}1${times(']')}`, `${times('[')}1${times(']')}`],
		['parentheses', `${times('(')}1${times(')')}`, '1'],
		['signs', `${times('-')}1`, '1'],
		['sums', `1${times(' + 1')}`, '1001'],
		['calls', `${times('string.to_upper(')}"x"${times(')')}`, '"X"'],
		['indices', `${times('[')}7${times(']')}${times('[0]')}`, '7'],
		['conditions', `${times('!')}true`, 'true'],
	])('of 1 000 %s evaluates', (_kind, text, value) => {
		const result = evaluateText(text, scope)
		expect(result.ok ? printValue(result.value) : result.error).toBe(value)
	})

	it('of 1 000 objects evaluates to what it says', () => {
		const result = evaluateText(`${times('{a = ')}1${times('}')}${times('.a')}`, scope)
		expect(result.ok ? printValue(result.value) : result.error).toBe('1')
	})
})
