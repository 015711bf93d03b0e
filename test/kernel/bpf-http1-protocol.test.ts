import { describe, expect, it } from 'vitest'
import { METHOD } from '../../src/capture/layout.gen.ts'
import { type Exchange, STORAGE_FORMS } from './support/kernel.ts'
import { close, move, pair, receive, type Step, send } from './support/sockets.ts'
import { bothEnds, nothingStaysOpen, summary, watchedSockets } from './support/watched-sockets.ts'

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`
const ok = (body: string, more = ''): string =>
	`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`

describe.each(STORAGE_FORMS)('HTTP/1 as the protocol allows it (%s)', (form) => {
	const watched = watchedSockets(form)
	nothingStaysOpen(watched)

	async function same(wanted: unknown[], ...steps: (Step | Step[])[]): Promise<Exchange[]> {
		const { server, client } = await bothEnds(watched, ...steps)
		expect(summary(server)).toEqual(wanted)
		expect(summary(client)).toEqual(wanted)
		return [...server, ...client]
	}

	it('pairs the requests of a keep-alive connection in turn', async () => {
		const turns = Array.from({ length: 20 }, (_, i) => [
			...move('c', 's', get(`/${i}`)),
			...move('s', 'c', ok('x'.repeat(i))),
		])
		await same(
			turns.map((_, i) => [`/${i}`, 200, 0, i]),
			pair(),
			...turns,
			close('c', 's'),
		)
	})

	it('pairs pipelined requests within its bound and marks them', async () => {
		const all = await same(
			[
				['/a', 200, 0, 1],
				['/b', 404, 0, 0],
				['/c', 200, 0, 3],
			],
			pair(),
			move('c', 's', get('/a') + get('/b') + get('/c')),
			move('s', 'c', `${ok('1')}HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n${ok('333')}`),
			close('c', 's'),
		)
		for (const { flags } of all) expect(flags).toContain('PIPELINED')
	})

	it('drops pipelined requests beyond its bound and never mispairs', async () => {
		const before = watched.kernel.counter('DROPPED_PIPELINE')
		const paths = Array.from({ length: 9 }, (_, i) => `/p${i}`)
		const { server, client } = await bothEnds(
			watched,
			pair(),
			move('c', 's', paths.map((path) => get(path)).join('')),
			...paths.map((_, i) => move('s', 'c', ok('y'.repeat(i)))),
			move('c', 's', get('/after')),
			move('s', 'c', ok('!')),
			close('c', 's'),
		)
		const seen = [...paths.slice(0, 4).map((path, i) => [path, 200, 0, i]), ['/after', 200, 0, 1]]
		expect(summary(server)).toEqual(seen)
		expect(summary(client)).toEqual(seen)
		expect(watched.kernel.counter('DROPPED_PIPELINE') - before).toBe(10)
	})

	it('counts informational responses and takes the final one', async () => {
		const all = await same(
			[['/up', 200, 3, 2]],
			pair(),
			move('c', 's', 'PUT /up HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n'),
			move('s', 'c', 'HTTP/1.1 100 Continue\r\n\r\n'),
			move('c', 's', 'abc'),
			move('s', 'c', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('ok')}`),
			close('c', 's'),
		)
		for (const one of all) expect(one.informational).toBe(2)
	})

	it('knows the responses that have no body', async () => {
		await same(
			[
				['/head', 200, 0, 0],
				['/none', 204, 0, 0],
				['/same', 304, 0, 0],
				['/last', 200, 0, 2],
			],
			pair(),
			move('c', 's', 'HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n'),
			move('s', 'c', 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n'),
			move('c', 's', get('/none')),
			move('s', 'c', 'HTTP/1.1 204 No Content\r\n\r\n'),
			move('c', 's', get('/same')),
			move('s', 'c', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n'),
			move('c', 's', get('/last')),
			move('s', 'c', ok('ok')),
			close('c', 's'),
		)
	})

	it('walks chunked bodies with extensions and trailers in both directions', async () => {
		const chunked = 'Transfer-Encoding: gzip, Chunked\r\n'
		await same(
			[
				['/c', 200, 26, 5],
				['/d', 200, 0, 1],
			],
			pair(),
			move(
				'c',
				's',
				`POST /c HTTP/1.1\r\nHost: h\r\n${chunked}\r\n1A;name="v"\r\n${'z'.repeat(26)}\r\n000\r\nX-Sum: 1\r\nY: 2\r\n\r\n`,
			),
			move('s', 'c', `HTTP/1.1 200 OK\r\n${chunked}\r\n2\r\nab\r\n3 \r\ncde\r\n0\r\n\r\n`),
			move('c', 's', get('/d')),
			move('s', 'c', ok('1')),
			close('c', 's'),
		)
	})

	it('marks a chunked body with more chunks in one call than it walks', async () => {
		const many = '1\r\nx\r\n'.repeat(60)
		const { server } = await bothEnds(
			watched,
			pair(),
			move('c', 's', get('/many')),
			move('s', 'c', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${many}0\r\n\r\n`),
			move('c', 's', get('/next')),
			move('s', 'c', ok('n')),
			close('c', 's'),
		)
		expect(server.map(({ target, status }) => [target, status])).toEqual([
			['/many', 200],
			['/next', 200],
		])
		expect(server[0]?.flags).toContain('SIZE_INEXACT')
		expect(server[1]?.flags).not.toContain('SIZE_INEXACT')
	})

	it('takes the end of the connection as the end of an unframed response', async () => {
		const all = await same(
			[['/old', 200, 0, 11]],
			pair(),
			move('c', 's', 'GET /old HTTP/1.0\r\n\r\n'),
			move('s', 'c', 'HTTP/1.0 200 OK\r\n\r\nhello world'),
			close('s'),
			{ do: 'end', on: 'c' },
			close('c'),
		)
		for (const { flags } of all)
			expect(flags).toEqual(expect.arrayContaining(['VERSION_10', 'RESPONSE_COMPLETE', 'CLOSED']))
	})

	it('leaves a connection that is upgraded', async () => {
		const all = await same(
			[['/chat', 101, 0, 0]],
			pair(),
			move('c', 's', get('/chat', 'Upgrade: websocket\r\nConnection: Upgrade\r\n')),
			move('s', 'c', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'),
			move('c', 's', get('/not-http-any-more')),
			move('s', 'c', ok('neither')),
			close('c', 's'),
		)
		for (const { flags } of all) expect(flags).toContain('UPGRADED')
	})

	it('leaves a connection that became a tunnel', async () => {
		await same(
			[['h:443', 200, 0, 0]],
			pair(),
			move('c', 's', 'CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n'),
			move('s', 'c', 'HTTP/1.1 200 OK\r\n\r\n'),
			move('c', 's', get('/inside')),
			close('c', 's'),
		)
	})

	it('sees a response that ends before its request does, and the next exchange', async () => {
		const { server } = await bothEnds(
			watched,
			pair(),
			move('c', 's', 'POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n1234'),
			move('s', 'c', 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n'),
			move('c', 's', '567890'),
			move('c', 's', get('/next')),
			move('s', 'c', ok('')),
			close('c', 's'),
		)
		expect(summary(server)).toEqual([
			['/big', 413, 4, 0],
			['/next', 200, 0, 0],
		])
		expect(server[0]?.flags).toContain('EARLY_RESPONSE')
	})

	it('answers a half-closed client', async () => {
		await same(
			[['/half', 200, 0, 2]],
			pair(),
			move('c', 's', get('/half')),
			{ do: 'shutdown', on: 'c' },
			{ do: 'end', on: 's' },
			move('s', 'c', ok('ok')),
			close('c', 's'),
		)
	})

	it('counts bodies that pass by sendfile', async () => {
		const { server } = await bothEnds(
			watched,
			pair(),
			move('c', 's', get('/file')),
			move('s', 'c', 'HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n'),
			move('s', 'c', 'f'.repeat(3000), { call: 'sendfile' }),
			close('c', 's'),
		)
		expect(summary(server)).toEqual([['/file', 200, 0, 3000]])
	})

	it('cuts long targets, hosts and methods the same for every cut, and says so', async () => {
		const request = `${'M'.repeat(12)} /${'t'.repeat(900)} HTTP/1.1\r\nHost: ${'h'.repeat(300)}\r\nCookie: ${'k'.repeat(3000)}\r\n\r\n`
		for (const cut of [[], [1], [500], [511, 2, 300], [912], [940, 1], [2000]]) {
			const { server, client } = await bothEnds(
				watched,
				pair(),
				move('c', 's', request, { cut }),
				move('s', 'c', ok('')),
				close('c', 's'),
			)
			for (const one of [server[0], client[0]]) {
				expect(one?.methodText).toBe('M'.repeat(12))
				expect(one?.method).toBe(METHOD.OTHER)
				expect(one?.target).toBe(`/${'t'.repeat(399)}`)
				expect(one?.host).toBe('h'.repeat(96))
				expect(one?.status).toBe(200)
				expect(one?.flags).toEqual(expect.arrayContaining(['TARGET_TRUNCATED', 'HOST_TRUNCATED']))
			}
		}
	})

	it('reads line feeds alone, blanks around values and names in any case', async () => {
		await same(
			[['/lf', 200, 3, 2]],
			pair(),
			move('c', 's', '\r\n\nPOST /lf HTTP/1.1\nhOsT: \t h  \ncONTENT-length:\t 3 \t\n\nabc'),
			move('s', 'c', 'HTTP/1.1 200\ncontent-LENGTH:2\n\nok'),
			close('c', 's'),
		)
	})

	// The kernel's working memory holds what the operations before left: line feeds everywhere.
	it.each(['\n', '\r\n', '\r\n\n', '\r\n\r\n'])(
		'knows the first request after %j, in pieces of any size',
		async (empty) => {
			for (let size = 1; size <= 9; size++) {
				const text = `${empty}${get('/?=8&3+=4', 'A: b\r\n')}`
				const cut = Array.from({ length: Math.ceil(12 / size) }, () => size)
				await same(
					[['/full', 200, 0, 2]],
					pair(),
					move('c', 's', get('/full', 'A:\n'.repeat(40))),
					move('s', 'c', ok('ok')),
					close('c', 's'),
				)
				await same(
					[['/?=8&3+=4', 200, 0, 2]],
					pair(),
					send('c', text, { cut }),
					receive('s', text, { cut }),
					move('s', 'c', ok('ok')),
					close('c', 's'),
				)
				await same(
					[['/?=8&3+=4', 200, 0, 2]],
					pair(),
					send('c', text),
					receive('s', text, { cut }),
					move('s', 'c', ok('ok')),
					close('c', 's'),
				)
			}
		},
	)
})
