import { describe, expect, it } from 'vitest'
import { createAttributeFilter, keepAll } from '../../src/correlate/attribute-filter.ts'
import { attributeKey } from '../../src/model/attributes.ts'

describe('attribute selection', () => {
	const list = [
		attributeKey('url.path'),
		'/a',
		attributeKey('url.query'),
		'q',
		attributeKey('http.route'),
		'/r',
	]
	const names = (include: string[], exclude: string[]): string[] =>
		createAttributeFilter({ include, exclude })(list)
			.filter((_, i) => i % 2 === 0)
			.map((key) => (key as { name: string }).name)

	it('includes first and excludes then, by glob, with dots or underscores', () => {
		expect(names(['url.*'], [])).toEqual(['url.path', 'url.query'])
		expect(names(['url_*'], ['url_query'])).toEqual(['url.path'])
		expect(names([], ['*.route'])).toEqual(['url.path', 'url.query'])
		expect(names(['*'], ['url.pat?'])).toEqual(['url.query', 'http.route'])
	})

	it('costs nothing when nothing is selected', () => {
		expect(createAttributeFilter({ include: [], exclude: [] })).toBe(keepAll)
	})
})
