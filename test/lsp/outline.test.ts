import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BlockNode, chainAt, outline } from '../../src/lsp/outline.ts'
import { Source } from '../../src/syntax/source.ts'

const of = (text: string) => outline(new Source('x', text))
const shape = (block: BlockNode): unknown =>
	block.blocks.map((one) => [
		`${one.name} ${one.label}`.trim(),
		one.attributes.map((attribute) => attribute.name),
		shape(one),
	])

describe('the outline', () => {
	it('has the blocks and attributes of a whole text', () => {
		const text = 'a.b "c" {\n\tx = {y = [1, {z = 2}]}\n\td {\n\t\te = f(1)\n\t}\n}\ng { h = 1 }\n'
		expect(shape(of(text).root)).toEqual([
			['a.b c', ['x'], [['d', ['e'], []]]],
			['g', ['h'], []],
		])
	})

	it('takes a block with a label at the start of a line for a new one, where braces are missing', () => {
		const text = 'a "b" {\n\tc {\n\t\td = [1, {\n\ne.f "g" {\n\th = 1\n}\n'
		expect(shape(of(text).root)).toEqual([
			['a b', [], [['c', ['d'], []]]],
			['e.f g', ['h'], []],
		])
	})

	it('keeps unindented blocks inside a declare', () => {
		expect(shape(of('declare "m" {\na "b" {\n}\n}\n').root)).toEqual([['declare m', [], [['a b', [], []]]]])
	})

	it.each([
		['a {\n\t|', 'statement'],
		['a {\n\tb = |', 'value'],
		['a {\n\tb = [1, |', 'value'],
		['a {\n\tb = "x|', 'string'],
		['a {\n\tb = "x|"\n', 'string'],
		['a {\n\tb = "x"|\n', 'value'],
		['a {\n\tb = 1\n|', 'statement'],
		['a {\n\tb = {\n|', 'value'],
		['a "x|" {', 'nothing'],
		['// x|', 'nothing'],
		['/* x|', 'nothing'],
		['/* x */|', 'statement'],
		['a = 1 // x|\n', 'nothing'],
		['a = 1 // x\n|', 'statement'],
		['|', 'statement'],
	])('%j is in a %s', (marked, kind) => {
		const offset = marked.indexOf('|')
		expect(of(marked.replace('|', '')).at(offset).kind).toBe(kind)
	})

	it('exists for any text and answers at any place', () => {
		const piece = fc.constantFrom(
			...[
				'{',
				'}',
				'[',
				']',
				'(',
				')',
				'=',
				'"',
				'\n',
				' ',
				',',
				'.',
				'a',
				'declare',
				'"x"',
				'1',
				'//',
				'/*',
				'*/',
				'`',
				'ö',
				'\0',
				'😀',
			],
		)
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
				const source = new Source('x', pieces.join(''))
				const found = outline(source)
				for (let offset = 0; offset <= source.bytes.length + 1; offset++) {
					const place = found.at(offset)
					expect(place.block.bodyStart).toBeLessThanOrEqual(source.bytes.length)
					chainAt(source, offset)
				}
				for (const block of found.root.blocks) expect(block.end).toBeGreaterThanOrEqual(block.bodyStart)
			}),
			{ numRuns: 500 },
		)
	})

	it.each([
		['blocks in blocks', 'a {\n'],
		['blocks with labels at the start of a line', 'a "b" {\n'],
		['modules in modules', 'declare "m" {\n'],
		['lists in lists', 'x = ['],
		['closing braces', '}'],
		['attributes', 'x = 1\n'],
		['unclosed values', 'x = {\na "b" {\n'],
	])('takes time in step with the length: %s', (_, part) => {
		// Time of the processor, because others use the machine too; the best of some, because of the garbage collector.
		const time = (count: number) => {
			const text = part.repeat(count)
			let best = Number.POSITIVE_INFINITY
			for (let i = 0; i < 3; i++) {
				const before = process.cpuUsage()
				of(text).at(text.length)
				const { user, system } = process.cpuUsage(before)
				best = Math.min(best, (user + system) / 1000)
			}
			return best
		}
		time(10_000)
		// Eight times the text; what is quadratic would take 64 times as long.
		expect(time(80_000)).toBeLessThan(Math.max(time(10_000), 15) * 32)
	})
})
