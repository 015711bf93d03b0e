import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRoutes, type RouteOptions } from '../../src/correlate/index.ts'

function route(path: string, options: Partial<RouteOptions> = {}): string {
	return createRoutes(options).routeOf('service', path)
}

describe('the heuristic', () => {
	it.each([
		['/users/fdklsd/j4elk/23993/job/2', '/users/*/j4elk/*/job/*'],
		['123/ljgdflgjf', '*/*'],
		['/v1/products/22j', '/v1/products/*'],
		['/v1/k6-test-runs/1', '/v1/k6-test-runs/*'],
		['/v1/k6-test-runs/1/', '/v1/k6-test-runs/*/'],
		['/api/hello.world.again', '/api/hello.world.again'],
		['/attach#section-1', '/attach'],
		['/api/cart?sessionId=abc', '/api/cart'],
		['/products//org/3', '/products//org/*'],
		['/products/1/org/3', '/products/*/org/*'],
		['/', '/'],
		['', ''],
		['/1a', '/*'],
		['/u2', '/u2'],
		['/~me', '/*'],
		['/%20/x', '/*/x'],
		['/.hidden', '/*'],
		['/a/b/c/d/e/f/g/h/i/k/l', '/a/b/c/d/e/f/g/h/i'],
	])('makes %s into %s', (path, expected) => {
		expect(route(path)).toBe(expected)
	})

	it('uses the wildcard it is given', () => {
		expect(route('/a/1', { wildcardChar: '#' })).toBe('/a/#')
	})

	it('never gives a digit from the third character of a segment on, more than nine segments, or throws', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
				const cluster = route(`/${text}`)
				const segments = cluster.split('/').slice(1)
				expect(segments.length).toBeLessThanOrEqual(10)
				for (const segment of segments) expect(segment).toMatch(/^(\*|.?[\s\S]?[A-Za-z\-_. ]*)$/u)
			}),
		)
	})

	it('is stable: its own answer stays as it is', () => {
		fc.assert(
			// Beyla does not look for words in the segment before a query, `&` or `#`.
			fc.property(fc.webPath(), (text) => {
				const path = text.replace(/[?&#].*$/s, '')
				const once = route(path)
				expect(route(once)).toBe(once)
			}),
		)
	})
})

describe('patterns', () => {
	const patterns = [
		'/users/{id}',
		'/users/:id/orders/{order}',
		'/users/me',
		'/files/*',
		'/@:user',
		'/v{n}/info',
		'/exact/one',
		'/{any}/two',
	]

	it.each([
		['/users/42', '/users/{id}'],
		['/users/42/', '/users/{id}'],
		['/users/42/orders/7', '/users/:id/orders/{order}'],
		['/users/me', '/users/me'],
		['/files/a/b/c', '/files/*'],
		['/files', '/files/*'],
		['/@mo', '/@:user'],
		['/v2/info', '/v{n}/info'],
		// A prefix needs one character more.
		['/v/info', ''],
		['/thing/two', '/{any}/two'],
		// An exact segment is never left again, as in Beyla.
		['/exact/two', ''],
		['/nothing/here', ''],
		['/users/42?x=1', '/users/{id}'],
	])('give %s the route "%s"', (path, expected) => {
		expect(route(path, { patterns, unmatched: 'unset' })).toBe(expected)
	})

	it('come before what unmatched says', () => {
		expect(route('/users/1', { patterns, unmatched: 'wildcard' })).toBe('/users/{id}')
	})
})

describe('unmatched', () => {
	it.each([
		['unset', ''],
		['path', '/a/123'],
		['wildcard', '/**'],
		['', '/**'],
		['heuristic', '/a/*'],
	] as const)('%s gives "%s"', (unmatched, expected) => {
		expect(route('/a/123', { unmatched })).toBe(expected)
	})

	it('low-cardinality collapses a level when it gets too wide, and stays so', () => {
		const routes = createRoutes({ unmatched: 'low-cardinality', maxPathSegmentCardinality: 3 })
		const names = ['apple', 'orange', 'lemon', 'cherry', 'apple', 'tomato']
		const seen = names.map((name) => routes.routeOf('shop', `/fruit/${name}/price`))
		expect(seen).toEqual([
			'/fruit/apple/price',
			'/fruit/orange/price',
			'/fruit/lemon/price',
			'/fruit/*/price',
			'/fruit/*/price',
			'/fruit/*/price',
		])
		expect(routes.routeOf('other', '/fruit/apple/price')).toBe('/fruit/apple/price')
		expect(routes.routeOf('shop', '/fruit/apple')).toBe('/fruit/*')
	})

	it('low-cardinality never gives one service more routes than its limit allows', () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.array(fc.constantFrom('and', 'the', 'her', 'are', 'one', 'his'), { minLength: 1, maxLength: 3 }),
					{
						maxLength: 200,
					},
				),
				(paths) => {
					const limit = 2
					const routes = createRoutes({ unmatched: 'low-cardinality', maxPathSegmentCardinality: limit })
					for (const path of paths) routes.routeOf('s', `/${path.join('/')}`)
					const settled = new Set(paths.map((path) => routes.routeOf('s', `/${path.join('/')}`)))
					expect(settled.size).toBeLessThanOrEqual(limit + limit ** 2 + limit ** 3)
				},
			),
		)
	})
})
