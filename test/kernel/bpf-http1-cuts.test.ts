import { afterEach, describe, expect, it } from 'vitest'
import { ROLE } from '../../src/capture/layout.gen.ts'
import { type Exchange, STORAGE_FORMS } from './support/kernel.ts'
import { close, move, pair, receive, type Step, send } from './support/sockets.ts'
import { watchedSockets } from './support/watched-sockets.ts'

const REQUEST =
	'POST /orders/17?full=yes HTTP/1.1\r\nHost: shop.example:8080\r\n' +
	'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nContent-Length: 5\r\n\r\nhello'
const RESPONSE =
	'HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n0\r\n\r\n'

/** What must be the same however the bytes were cut. */
const essence = (exchange: Exchange): object => ({
	role: exchange.role,
	method: exchange.method,
	target: exchange.target,
	host: exchange.host,
	status: exchange.status,
	flags: exchange.flags.filter((flag) => !['JOIN_KEY', 'JOINED', 'IDS_PUBLISHED'].includes(flag)),
	requestBody: exchange.requestBody,
	responseBody: exchange.responseBody,
	headerTraceId: exchange.headerTraceId,
	headerSpanId: exchange.headerSpanId,
})

describe.each(STORAGE_FORMS)('HTTP/1 over every cut (%s)', (form) => {
	const watched = watchedSockets(form)
	afterEach(() => {
		expect(watched.kernel.open()).toBe(0)
		expect(watched.kernel.counter('STATE_FULL')).toBe(0)
	})

	const expected = (role: number): object => ({
		role,
		method: 3,
		target: '/orders/17?full=yes',
		host: 'shop.example:8080',
		status: 201,
		flags: ['RESPONSE_SEEN', 'RESPONSE_COMPLETE', 'REQUEST_COMPLETE', 'TRACEPARENT', 'SAMPLED_FLAG'],
		requestBody: 5,
		responseBody: 4,
		headerTraceId: '0af7651916cd43dd8448eb211c80319c',
		headerSpanId: 'b7ad6b7169203331',
	})

	async function exchanged(steps: readonly Step[]): Promise<void> {
		await watched.sockets.run(steps)
		const exchanges = watched.kernel.exchanges()
		expect(exchanges.map(essence).sort(byRole)).toEqual([expected(ROLE.SERVER), expected(ROLE.CLIENT)])
	}
	const byRole = (a: object, b: object): number => (a as Exchange).role - (b as Exchange).role

	it('sees one exchange whole', async () => {
		await exchanged([pair(), ...move('c', 's', REQUEST), ...move('s', 'c', RESPONSE), ...close('c', 's')])
	})

	it('sees the same when the request is cut at every offset', async () => {
		for (let at = 1; at < REQUEST.length; at++) {
			const cut = { cut: [at] }
			await exchanged([
				pair(),
				...move('c', 's', REQUEST, cut),
				...move('s', 'c', RESPONSE),
				...close('c', 's'),
			])
		}
	}, 60_000)

	it('sees the same when the response is cut at every offset', async () => {
		for (let at = 1; at < RESPONSE.length; at++) {
			const cut = { cut: [at] }
			await exchanged([
				pair(),
				...move('c', 's', REQUEST),
				...move('s', 'c', RESPONSE, cut),
				...close('c', 's'),
			])
		}
	}, 60_000)

	it('sees the same when every byte moves alone', async () => {
		const single = (text: string): object => ({ cut: Array.from({ length: text.length - 1 }, () => 1) })
		await exchanged([
			pair(),
			...move('c', 's', REQUEST, single(REQUEST)),
			...move('s', 'c', RESPONSE, single(RESPONSE)),
			...close('c', 's'),
		])
	})

	it('sees the same through every system call', async () => {
		for (const [out, into] of [
			['write', 'read'],
			['writev', 'readv'],
			['sendmsg', 'recvmsg'],
			['sendmmsg', 'recvmmsg'],
			['send', 'peek'],
		] as const) {
			const there = { cut: [1, 9, 30, 60] }
			const back = { cut: [3, 20, 40] }
			await exchanged([
				pair(),
				send('c', REQUEST, { ...there, call: out }),
				receive('s', REQUEST, { ...there, call: into }),
				send('s', RESPONSE, { ...back, call: out }),
				receive('c', RESPONSE, { ...back, call: into }),
				...close('c', 's'),
			])
		}
	})

	it('sees the same on every address family', async () => {
		for (const family of ['ipv4', 'ipv6', 'mapped', 'unix'])
			await exchanged([
				pair(family),
				...move('c', 's', REQUEST),
				...move('s', 'c', RESPONSE),
				...close('c', 's'),
			])
	})
})
