import { describe, expect, it } from 'vitest'
import { openKernel, STORAGE_FORMS } from './support/kernel.ts'
import { close, move, pair, startSockets } from './support/sockets.ts'
import { bothEnds, nothingStaysOpen, summary, watchedSockets } from './support/watched-sockets.ts'

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`
const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const FAMILIES = ['ipv4', 'unix'] as const

describe.each(STORAGE_FORMS)(
	'HTTP/1 where only a part of a connection or of an exchange is seen (%s)',
	(form) => {
		const watched = watchedSockets(form)
		nothingStaysOpen(watched)

		it.each(FAMILIES)('emits a request whose response never came (%s)', async (family) => {
			await watched.sockets.run([pair(family), ...move('c', 's', get('/lost')), ...close('c', 's')])
			await watched.kernel.sweep()
			const all = watched.kernel.exchanges()
			expect(summary(all)).toEqual([
				['/lost', 0, 0, 0],
				['/lost', 0, 0, 0],
			])
			for (const { flags } of all) {
				expect(flags).toContain('CLOSED')
				expect(flags).not.toContain('RESPONSE_SEEN')
			}
		})

		it('marks a connection that was reset', async () => {
			const { client } = await bothEnds(
				watched,
				pair(),
				move('c', 's', get('/reset')),
				{ do: 'reset', on: 's' },
				{ do: 'failing', on: 'c' },
				close('c'),
			)
			expect(summary(client)).toEqual([['/reset', 0, 0, 0]])
			expect(client[0]?.flags).toEqual(expect.arrayContaining(['CLOSED', 'PEER_RESET']))
		})

		it('picks up a connection that existed before', async () => {
			const late = await openKernel(form)
			try {
				await watched.sockets.run([pair(), ...move('c', 's', get('/unseen')), ...move('s', 'c', ok('a'))])
				await watched.sockets.run([
					...move('c', 's', 'POST /mid HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc'),
				])
				late.select(watched.sockets.pid)
				await watched.sockets.run([
					...move('c', 's', 'def'),
					...move('s', 'c', ok('b')),
					...move('c', 's', get('/seen')),
					...move('s', 'c', ok('c')),
					...close('c', 's'),
				])
				const all = late.exchanges()
				expect(summary(all)).toEqual([
					['/seen', 200, 0, 1],
					['/seen', 200, 0, 1],
				])
				expect(late.open()).toBe(0)
			} finally {
				late.close()
				watched.kernel.drain()
			}
		})

		it('emits what a killed process had open', async () => {
			const other = startSockets()
			watched.kernel.select(other.pid)
			await other.run([pair(), ...move('c', 's', get('/killed'))])
			await other.stop('SIGKILL')
			const all = watched.kernel.exchanges()
			expect(summary(all)).toEqual([
				['/killed', 0, 0, 0],
				['/killed', 0, 0, 0],
			])
		})

		it('drops what a process has open when it is rejected', async () => {
			const before = watched.kernel.counter('DROPPED_REJECTED')
			await watched.sockets.run([pair(), ...move('c', 's', get('/dropped'))])
			watched.kernel.reject(watched.sockets.pid)
			await watched.sockets.run([
				...move('s', 'c', ok('a')),
				...move('c', 's', get('/unseen')),
				...move('s', 'c', ok('b')),
			])
			watched.kernel.select(watched.sockets.pid)
			await watched.sockets.run([
				...move('c', 's', get('/again')),
				...move('s', 'c', ok('c')),
				...close('c', 's'),
			])
			expect(summary(watched.kernel.exchanges())).toEqual([
				['/again', 200, 0, 1],
				['/again', 200, 0, 1],
			])
			expect(watched.kernel.counter('DROPPED_REJECTED') - before).toBe(2)
		})
	},
)
