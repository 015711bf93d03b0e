import { expect, test } from 'vitest'
import { type MetricFamily, renderChunks, renderFamilies } from '../../src/telemetry/metric-family.ts'

/** A family of `count` samples that notes how often it was asked for them. */
function family(name: string, count: number, asked: string[], help = 'H.'): MetricFamily {
	return {
		name,
		help,
		type: 'counter',
		get samples() {
			asked.push(name)
			const shared = ['path', 'a"b\\c\nd'] as const
			return Array.from({ length: count }, (_, i) => ({
				suffix: '',
				labels: [shared, ['n', String(i)]] as const,
				value: i,
			}))
		},
	}
}

test('the text comes in pieces near the size asked for, which are lines and together all of it', () => {
	const families = [family('b', 50, []), family('a', 20, []), family('b', 3, [], 'another help')]
	const pieces = [...renderChunks(families, 200)]
	expect(pieces.length).toBeGreaterThan(5)
	for (const piece of pieces) {
		expect(piece.endsWith('\n')).toBe(true)
		expect(piece.length).toBeLessThan(300)
	}
	const whole = renderFamilies(families)
	expect(pieces.join('')).toBe(whole)
	const lines = (name: string, count: number) =>
		Array.from({ length: count }, (_, i) => `${name}{path="a\\"b\\\\c\\nd",n="${i}"} ${i}\n`).join('')
	expect(whole).toBe(
		`# HELP a H.\n# TYPE a counter\n${lines('a', 20)}# HELP b H.\n# TYPE b counter\n${lines('b', 50)}${lines('b', 3)}`,
	)
})

test('samples are asked for once, when their turn comes, and families without any are left out', () => {
	const asked: string[] = []
	const families = [family('c', 10, asked), family('a', 10, asked), family('b', 0, asked)]
	const pieces = renderChunks(families, 100)
	expect(asked).toEqual([])
	expect(pieces.next().value).toContain('# TYPE a counter')
	expect(asked).toEqual(['a'])
	const rest = [...pieces].join('')
	expect(asked).toEqual(['a', 'b', 'c'])
	expect(rest).not.toContain('# TYPE b')
})
