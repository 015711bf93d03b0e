import { describe, expect, it } from 'vitest'
import { PROTOCOL } from '../../src/capture/layout.gen.ts'
import { STORAGE_FORMS } from './support/kernel.ts'
import { close, move, pair, receive, send } from './support/sockets.ts'
import { bothEnds, nothingStaysOpen, watchedSockets } from './support/watched-sockets.ts'

describe.each(STORAGE_FORMS)('bytes that are no HTTP/1, or broken (%s)', (form) => {
	const watched = watchedSockets(form)
	nothingStaysOpen(watched)

	it('gives up a head whose framing makes no sense, without a wrong record', async () => {
		for (const bad of [
			'Content-Length: 5\r\nContent-Length: 6\r\n',
			'Content-Length: 5x\r\n',
			'Content-Length: -1\r\n',
			'Content-Length : 5\r\n',
			'Content-Length: 5\r\n 6\r\n',
			'Transfer-Encoding: gzip\r\n',
		]) {
			const before = watched.kernel.counter('MALFORMED')
			const { server, client } = await bothEnds(
				watched,
				pair(),
				move('c', 's', `POST /bad HTTP/1.1\r\nHost: h\r\n${bad}\r\nhello`),
				move('s', 'c', 'HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n'),
				close('c', 's'),
			)
			expect([bad, ...server, ...client]).toEqual([bad])
			expect(watched.kernel.counter('MALFORMED') - before).toBe(2)
		}
	})

	it.each([
		['TLS', PROTOCOL.TLS, '\x16\x03\x01\x00\xf4\x01\x00\x00\xf0'],
		['HTTP/2', PROTOCOL.HTTP2, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
	])('recognises %s over every cut and says so once an end', async (_, protocol, text) => {
		const bytes = Buffer.from(text, 'latin1')
		for (let at = 0; at < bytes.length; at++) {
			await watched.sockets.run([
				pair(),
				...move('c', 's', bytes, { cut: at === 0 ? [] : [at], count: bytes.length }),
				...move('s', 'c', 'whatever'),
				...close('c', 's'),
			])
			const { conns, exchanges } = watched.kernel.drain()
			expect(exchanges).toEqual([])
			expect(conns.map((conn) => conn.protocol)).toEqual([protocol, protocol])
		}
	})

	it('gives up a connection that speaks nothing it knows after eight messages each way', async () => {
		const turns = Array.from({ length: 20 }, () => [
			...move('c', 's', 'get key\r\n'),
			...move('s', 'c', 'END\r\n'),
		])
		await watched.sockets.run([pair(), ...turns.flat(), ...close('c', 's')])
		const { conns, exchanges } = watched.kernel.drain()
		expect(exchanges).toEqual([])
		expect(conns.map(({ protocol }) => protocol)).toEqual([PROTOCOL.UNKNOWN, PROTOCOL.UNKNOWN])
	})

	it('records nothing for bytes that only look a little like HTTP', async () => {
		const hostile = [
			'GET \r\n\r\n',
			'GET / HTTP/2.0\r\n\r\n',
			'GET /\r\n\r\n',
			`GET /${'a'.repeat(20000)}`,
			`GET / HTTP/1.1\r\n${'x'.repeat(20000)}`,
			'HTTP/1.1 200 OK\r\n\r\n',
			'\0'.repeat(300),
			'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
		]
		for (const text of hostile)
			await watched.sockets.run([pair(), ...move('c', 's', text), ...close('c', 's')])
		const targets = watched.kernel.exchanges().map(({ target, status }) => [target, status])
		// Only the last has a whole head.
		expect(targets).toEqual([
			['/', 0],
			['/', 0],
		])
	})

	// What an unknown message goes on with is never a message of its own, however much it looks like one.
	it.each([
		['one byte cut off', ['_', 'PTIONS /cut HTTP/1.1\r\nHost: h\r\n\r\n']],
		['after a line', ['_POST / HTTP/1.1\r\nHost: h\r\n\r\n', 'GET /body HTTP/1.1\r\nHost: h\r\n\r\n']],
		['after a long word', ['ABCDEFGHIJKLMNOPQRSTU', 'GET /body HTTP/1.1\r\nHost: h\r\n\r\n']],
		['an answer to nothing', ['HTTP/1.1 200 OK\r\n\r\n', 'GET /body HTTP/1.1\r\nHost: h\r\n\r\n']],
	])(
		'takes nothing within an unknown message for a request (%s), and the next one for what it is',
		async (_, pieces) => {
			const { server, client } = await bothEnds(
				watched,
				pair(),
				pieces.flatMap((piece) => move('c', 's', piece)),
				move('s', 'c', 'HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n'),
				move('c', 's', 'GET /next HTTP/1.1\r\nHost: h\r\n\r\n'),
				move('s', 'c', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
				close('c', 's'),
			)
			for (const all of [server, client])
				expect(all.map(({ target, status }) => [target, status])).toEqual([['/next', 200]])
			// None of it is left from what only looked like a request before it was sent.
			expect(server[0]?.joinSeq).toBe(client[0]?.joinSeq)
		},
	)

	it.each([
		['1', ['PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n']],
		['1, in two pieces', ['PROXY TCP4 192.0.2.1 ', '192.0.2.2 4711 80\r\n']],
		['2', ['\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x12\x67\0\x50']],
	])('sees the request behind a PROXY header of version %s', async (_, pieces) => {
		const { server, client } = await bothEnds(
			watched,
			pair(),
			pieces.flatMap((piece) => move('c', 's', Buffer.from(piece, 'latin1'), { count: piece.length })),
			move('c', 's', 'GET /proxied HTTP/1.1\r\nHost: h\r\n\r\n'),
			move('s', 'c', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
			close('c', 's'),
		)
		for (const all of [server, client])
			expect(all.map(({ target, status }) => [target, status])).toEqual([['/proxied', 200]])
	})

	it('survives random bytes', async () => {
		for (let round = 0; round < 30; round++) {
			const bytes = Buffer.from(
				Array.from({ length: 400 }, (_, i) => (i * 7919 + round * 104729 + ((i * i * round) >> 3)) & 0xff),
			)
			const head = Buffer.from(round % 2 === 0 ? 'POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n1234' : '')
			const all = Buffer.concat([head, bytes])
			const before = watched.kernel.counter('MALFORMED')
			await watched.sockets.run([
				pair(),
				send('c', all),
				{ do: 'receive', on: 's', count: all.length },
				send('s', bytes),
				receive('c', bytes.toString('latin1'), { count: bytes.length }),
				...close('c', 's'),
			])
			// Either both ends tell of the one request that is there, or both say that they gave up.
			const seen = watched.kernel.exchanges().map(({ target, status }) => [target, status])
			const gaveUp = watched.kernel.counter('MALFORMED') - before
			if (head.length === 0) expect([seen, gaveUp]).toEqual([[], 0])
			else if (gaveUp > 0) expect(seen).toEqual([])
			else
				expect(seen).toEqual([
					['/', 0],
					['/', 0],
				])
		}
	})
})
