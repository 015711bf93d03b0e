import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sameBody } from '../../src/syntax/equal.ts'
import { parseFile } from '../../src/syntax/parser.ts'
import { formatSource, printFile } from '../../src/syntax/printer.ts'
import { renderDiagnostics } from '../../src/syntax/render.ts'
import { ownLines, sharedAlloyPresent, sharedFiles } from '../conformance/result.ts'
import { textOf, trackedFiles } from '../repository/files.ts'
import { randomSource } from './random-source.ts'

const comments = (text: string): string[] =>
	parseFile('f', text).file.comments.flatMap((group) => group.comments.map((one) => one.text))

/** Everything there is, on any bytes: nothing may throw, and a place must lie in the text. */
function exercise(bytes: Uint8Array): void {
	const { file, diagnostics } = parseFile('f', bytes)
	for (const one of diagnostics) {
		expect(one.start.offset).toBeLessThanOrEqual(bytes.length)
		expect(one.start.line).toBeGreaterThan(0)
		expect(one.start.column).toBeGreaterThan(0)
	}
	renderDiagnostics(diagnostics, new Map([['f', bytes]]), { color: true, explain: true })
	if (diagnostics.length === 0) printFile(file)
}

const documents = ownLines<{ in: string }>('cli-fmt.jsonl').map((one) => one.in)
/** Pipelines that people wrote; `documents` are there to be difficult. */
const real = [
	...trackedFiles('*.alloy').map(textOf),
	...(sharedAlloyPresent
		? [...sharedFiles('snippets', '.alloy'), ...sharedFiles('goldens', '.alloy')].map((one) => one.text)
		: []),
]

describe('a formatted text', () => {
	it('says what it said before, with every comment, and is accepted', () => {
		fc.assert(
			fc.property(randomSource, (text) => {
				const before = parseFile('f', text)
				fc.pre(before.diagnostics.length === 0)
				const printed = formatSource('f', text).text!
				const after = parseFile('f', printed)
				expect(after.diagnostics).toEqual([])
				expect(sameBody(before.file.body, after.file.body)).toBe(true)
				expect(comments(printed)).toEqual(comments(text))
			}),
			{ numRuns: 3000 },
		)
	})

	/**
	 * Alloy aligns by the lines of the text it reads, so a value that it joins to one line makes a second run align
	 * differently (its own program does the same); from then on the text rests.
	 */
	it('stays as it is when formatted again', () => {
		let restless = 0
		let total = 0
		for (const text of [...documents, ...real]) {
			const once = formatSource('f', text).text
			if (once === undefined) continue
			total++
			const twice = formatSource('f', once).text!
			if (twice !== once) restless++
			expect(formatSource('f', twice).text).toBe(twice)
		}
		expect(total).toBeGreaterThan(200)
		expect(restless / total).toBeLessThan(0.05)
	})

	it('of any real file is its own format', () => {
		expect(real.length).toBeGreaterThan(1)
		for (const text of real) {
			const once = formatSource('f', text).text
			if (once !== undefined) expect(formatSource('f', once).text).toBe(once)
		}
	})
})

describe('no input', () => {
	it('makes the parser throw: random bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => exercise(bytes)),
			{ numRuns: 3000 },
		)
	})

	it('makes the parser throw: random tokens', () => {
		const token = fc.constantFrom(
			...[
				'a',
				'"s"',
				'`r`',
				'1',
				'.5',
				'=',
				'.',
				',',
				'{',
				'}',
				'[',
				']',
				'(',
				')',
				'+',
				'^',
				'!',
				'-',
				'||',
				'|',
			],
			...[
				'\n',
				' ',
				'// c\n',
				'/* c */',
				'/* ',
				"'",
				'"',
				'`',
				'\\',
				'\0',
				'\ufeff',
				'é',
				'true',
				'null',
				'\r\n',
			],
		)
		fc.assert(
			fc.property(fc.array(token, { maxLength: 60 }), (tokens) => exercise(Buffer.from(tokens.join('')))),
			{ numRuns: 5000 },
		)
	})

	it('makes the parser throw: real files with bytes changed, cut out and moved', () => {
		const edit = fc.tuple(fc.nat(), fc.nat(40), fc.uint8Array({ maxLength: 4 }))
		fc.assert(
			fc.property(fc.constantFrom(...real), fc.array(edit, { minLength: 1, maxLength: 6 }), (text, edits) => {
				let bytes = Buffer.from(text)
				for (const [at, length, insert] of edits) {
					const from = bytes.length === 0 ? 0 : at % bytes.length
					bytes = Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + length)])
				}
				exercise(bytes)
			}),
			{ numRuns: 3000 },
		)
	})

	it.each([
		['open brackets', '['],
		['open calls', 'a('],
		['open blocks', 'a {\n'],
		['values that are blocks', 'a = b "c" {\n'],
		['comments behind values', 'a = 1 /* c */ /* d */ '],
		['comments between names', 'a /**/ '],
		['open comments', 'a /* '],
		['quotes', '"a '],
		['single quotes', "a = 'b "],
		['backticks', 'a = `b '],
		['NULs', 'a\0'],
		['bytes that are not UTF-8', '\xff'],
		['errors', '= 1\n'],
		['fields', '{a = 1, '],
		['signs', 'a = -'],
		['operators', '1 + '],
		['empty lines', '\n'],
		['attributes', 'a = [1, "b"]\n'],
		['tabs in raw strings', '`\t'],
	])('takes more than linear time: %s', (_kind, piece) => {
		const measure = (count: number): number => {
			const bytes = Buffer.from(`a = ${piece.repeat(count)}`, 'latin1')
			const started = process.cpuUsage()
			const { file, diagnostics } = parseFile('f', bytes)
			if (diagnostics.length === 0) printFile(file)
			const used = process.cpuUsage(started)
			return (used.user + used.system) / 1000
		}
		measure(10_000)
		const small = Math.max(measure(20_000), 10)
		// Eight times the text: a quadratic step would take 64 times as long. Twice tried: others use this machine too.
		const large = measure(160_000)
		expect(large < small * 30 ? large : measure(160_000)).toBeLessThan(small * 30)
	})
})
